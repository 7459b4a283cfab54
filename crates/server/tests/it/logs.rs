//! Readers of a log that grows: slow ones, ones that come back, all of them complete.

use axum::{
    body::{Body, BodyDataStream},
    http::Request,
};
use futures_util::StreamExt as _;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Api, Repository, TestServer};

/// What Linux keeps at most for a client that takes nothing, unless it is configured otherwise.
const KEPT_BY_THE_SYSTEM: usize = 4 * 1_024 * 1_024;

/// Begins a build that prints so many lines of this width, by and by; the deployment's id.
async fn begin_build(server: &TestServer, lines: usize, width: usize) -> String {
    let print = format!(
        "pad=$(printf %0{width}d 0); i=0; while [ $i -lt {lines} ]; do echo $i $pad; i=$((i+1)); \
         [ $((i % 200)) -eq 0 ] && sleep 0.3; done; true"
    );
    let repository = Repository::with(&[("index.html", "")]);
    let project =
        server.api.create_project(repository.path(), json!({ "build_command": print })).await;
    let environment = server.api.create_environment(&project, "main").await;
    let id = environment["latest_deployment"]["id"].as_str().unwrap().to_owned();
    // The repository has to be there until it was fetched.
    let is_printed = |line: &Value| line["stream"] == "stdout";
    let has_begun = |log: &Value| log["lines"].as_array().unwrap().iter().any(is_printed);
    server.api.until(&format!("/api/deployments/{id}/logs"), has_begun).await;
    id
}

/// The numbers of all lines of a deployment that has printed so many.
async fn all_lines(server: &TestServer, path: &str, printed: usize) -> Vec<u64> {
    assert_eq!(server.api.printed(path).await.len(), printed);
    let count = printed + server.api.said(path).await.len();
    (1..=count as u64).collect()
}

/// A log as server-sent events.
struct Events {
    body: BodyDataStream,
    text: String,
}

/// What comes on such a stream.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    Line(u64),
    End,
}

impl Events {
    /// Opens a log after the line of number `last`.
    async fn open(api: &Api, path: &str, last: u64) -> Self {
        Self::open_on(HttpConnector::new(), api, path, last).await
    }

    /// The same on a connection that takes next to nothing before somebody reads.
    async fn open_narrow(api: &Api, path: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_recv_buffer_size(Some(4_096));
        Self::open_on(connector, api, path, 0).await
    }

    async fn open_on(connector: HttpConnector, api: &Api, path: &str, last: u64) -> Self {
        let request = Request::get(format!("{}{path}", api.base()))
            .header(header::AUTHORIZATION, format!("Bearer {}", api.key()))
            .header(header::ACCEPT, "text/event-stream")
            .header("Last-Event-ID", last)
            .body(Body::empty())
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let response = client.request(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Self { body: Body::new(response.into_body()).into_data_stream(), text: String::new() }
    }

    /// The next event; nothing where the connection has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                if field("event: ") == Some("end") {
                    return Some(Event::End);
                }
                if let Some(id) = field("id: ") {
                    return Some(Event::Line(id.parse().unwrap()));
                }
            }
            let bytes = self.body.next().await?.ok()?;
            self.text.push_str(str::from_utf8(&bytes).unwrap());
        }
    }

    /// The numbers of all lines that come on this connection, and whether the log ended with it.
    async fn rest(mut self) -> (Vec<u64>, bool) {
        let mut seen = Vec::new();
        loop {
            match self.next().await {
                Some(Event::Line(number)) => seen.push(number),
                Some(Event::End) => return (seen, true),
                None => return (seen, false),
            }
        }
    }
}

/// Reads a log to its end, at most `patience` lines from each connection; the numbers that came.
async fn read(api: Api, path: String, patience: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let mut events = Events::open(&api, &path, seen.last().copied().unwrap_or(0)).await;
        for _ in 0..patience {
            match events.next().await {
                Some(Event::Line(number)) => seen.push(number),
                Some(Event::End) => return seen,
                None => break,
            }
        }
    }
}

#[tokio::test]
async fn fifty_readers_get_every_line_once() {
    const LINES: usize = 2_000;
    let server = TestServer::start("readers").await;
    let id = begin_build(&server, LINES, 10).await;
    let path = format!("/api/deployments/{id}/logs");
    let readers: Vec<_> = (0..50)
        .map(|reader| {
            let patience = if reader % 3 == 0 { 150 } else { usize::MAX };
            tokio::spawn(read(server.api.clone(), path.clone(), patience))
        })
        .collect();

    let deployment = server.api.settled(&id).await;
    assert_eq!(deployment["state"], "live", "{deployment}");
    let expected = all_lines(&server, &path, LINES).await;
    for reader in readers {
        assert_eq!(reader.await.unwrap(), expected);
    }
}

#[tokio::test]
async fn readers_that_take_nothing_hold_up_nobody_and_nothing_is_read_ahead_for_them() {
    const WIDTH: usize = 4_000;
    const LINES: usize = 1_200;
    const { assert!(KEPT_BY_THE_SYSTEM < LINES * WIDTH) };
    let server = TestServer::start("slow_readers").await;
    let id = begin_build(&server, LINES, WIDTH).await;
    let path = format!("/api/deployments/{id}/logs");
    let key = json!({ "name": "slow", "scopes": ["logs:read"] });
    let key = server.api.post("/api/auth/api-keys", key).await.body;
    let api = server.api.with_key(key["key"].as_str().unwrap());
    let revoked = Events::open_narrow(&api, &path).await;
    let mut slow = Vec::new();
    for _ in 0..5 {
        slow.push(Events::open_narrow(&server.api, &path).await);
    }
    let fast = tokio::spawn(read(server.api.clone(), path.clone(), usize::MAX));

    let deployment = server.api.settled(&id).await;
    assert_eq!(deployment["state"], "live", "{deployment}");
    let expected = all_lines(&server, &path, LINES).await;
    assert_eq!(fast.await.unwrap(), expected);

    // Whatever the server has not read by now it will not read for this key.
    let path = format!("/api/auth/api-keys/{}", key["id"].as_str().unwrap());
    assert_eq!(server.api.delete(&path).await.status, StatusCode::NO_CONTENT);
    let (seen, has_ended) = revoked.rest().await;
    assert!(!has_ended && seen.len() < LINES, "{} lines were read ahead", seen.len());
    assert_eq!(seen, expected[..seen.len()]);

    for reader in slow {
        let (seen, has_ended) = reader.rest().await;
        assert!(has_ended, "broken off after {} lines: {}", seen.len(), server.log());
        assert_eq!(seen, expected);
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
