//! Readers of a log that grows: slow ones, ones that come back, all of them complete.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Method, header};
use serde_json::json;

use crate::support::{Api, Repository, TestServer};

/// Reads a log as server-sent events to its end; returns the numbers that came.
///
/// It reads at most `patience` events from each connection, then comes back with the last number.
async fn read(api: Api, path: String, patience: usize, pause: Duration) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let mut request =
            api.request(Method::GET, &path).header(header::ACCEPT, "text/event-stream");
        if let Some(last) = seen.last() {
            request = request.header("Last-Event-ID", format!("{last}"));
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let mut body = response.bytes_stream();
        let (mut text, mut taken) = (String::new(), 0);
        while let Some(Ok(bytes)) = body.next().await {
            text.push_str(&String::from_utf8_lossy(&bytes));
            while let Some((event, rest)) = text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(name)).map(|it| it.trim().to_owned())
                };
                let (kind, id) = (field("event:"), field("id:"));
                let rest = rest.to_owned();
                if kind.as_deref() == Some("end") {
                    return seen;
                }
                if let Some(id) = id {
                    seen.push(id.parse().unwrap());
                    taken += 1;
                }
                text = rest;
                if patience <= taken {
                    break;
                }
            }
            if patience <= taken {
                break;
            }
            tokio::time::sleep(pause).await;
        }
    }
}

#[tokio::test]
async fn fifty_readers_get_every_line_once() {
    let server = TestServer::start("readers").await;
    let repository = Repository::with(&[("index.html", "")]);
    let print = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); \
                 [ $((i % 200)) -eq 0 ] && sleep 0.3; done; true";
    let project =
        server.api.create_project(repository.path(), json!({ "build_command": print })).await;
    let environment = server.api.create_environment(&project, "main").await;
    let id = environment["latest_deployment"]["id"].as_str().unwrap();
    let path = format!("/api/deployments/{id}/logs");

    let readers: Vec<_> = (0..50_u64)
        .map(|reader| {
            let patience = if reader % 3 == 0 { 150 } else { usize::MAX };
            let pause = Duration::from_millis(if reader % 5 == 0 { 5 } else { 0 });
            tokio::spawn(read(server.api.clone(), path.clone(), patience, pause))
        })
        .collect();
    let deployment = server.api.settled(id).await;
    assert_eq!(deployment["state"], "live", "{deployment}");
    let printed = server.api.printed(&path).await;
    assert_eq!(printed.len(), 2000);
    let count = printed.len() + server.api.said(&path).await.len();
    let expected: Vec<u64> = (1..=count as u64).collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_log_is_text_where_text_is_asked_for() {
    let server = TestServer::start("text").await;
    let repository = Repository::with(&[("index.html", "")]);
    let settings = json!({ "build_command": "echo one; echo two" });
    let deployed = server.api.deploy(repository.path(), settings).await;
    let request =
        server.api.request(Method::GET, &deployed.logs()).header(header::ACCEPT, "text/plain");
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("one\ntwo\n"), "{text}");
}
