//! Logs in their three forms.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    http::{Method, StatusCode, header},
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use windlass_auth::{ApiKeyId, ApiKeyRecord, Role};
use windlass_domain::{Clock, EnvironmentId, LogId, LogStream, NewLogLine};
use windlass_storage::Signal;

use crate::harness::{Answer, TestApi};

/// Long enough for a machine that does many things at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// An environment whose app prints what the test wants.
struct Printing {
    api: TestApi,
    log: LogId,
    path: String,
}

impl Printing {
    async fn start(test: &str) -> Self {
        let api = TestApi::start(test).await;
        let project = api.project("shop").await;
        let environment = api.environment(&project, "main").await;
        let id: EnvironmentId = environment.parse().unwrap();
        let path = format!("/api/environments/{environment}/logs");
        Self { api, log: LogId::App(id), path }
    }

    async fn print(&self, texts: &[&str]) {
        let time: DateTime<Utc> = self.api.clock.now();
        let line =
            |text: &&str| NewLogLine { time, stream: LogStream::Stdout, text: (*text).into() };
        let lines: Vec<NewLogLine> = texts.iter().map(line).collect();
        let mut uow = self.api.store.write().await.unwrap();
        assert!(uow.logs().append(self.log, &lines, None).await.unwrap());
        uow.signal(Signal::Log(self.log));
        uow.commit().await.unwrap();
    }

    async fn end(&self) {
        let mut uow = self.api.store.write().await.unwrap();
        uow.logs().end(self.log).await.unwrap();
        uow.signal(Signal::Log(self.log));
        uow.commit().await.unwrap();
    }

    async fn open(&self, query: &str, accept: &str, last: Option<&str>) -> Response {
        self.open_as(&self.api.owner, query, accept, last).await
    }

    async fn open_as(&self, key: &str, query: &str, accept: &str, last: Option<&str>) -> Response {
        let path = format!("{}{query}", self.path);
        let mut request = TestApi::request(key, Method::GET, &path).header(header::ACCEPT, accept);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        self.api.raw(request.body(Body::empty()).unwrap()).await
    }

    /// A key that reads logs, and its id.
    async fn reader(&self) -> (String, ApiKeyId) {
        let body = json!({ "name": "reader", "scopes": ["logs:read"] });
        let created = self.api.post("/api/auth/api-keys", body).await.body;
        (
            created["key"].as_str().unwrap().to_owned(),
            created["id"].as_str().unwrap().parse().unwrap(),
        )
    }

    /// Changes a key behind the API's back, and has it looked at anew.
    async fn change_key(&self, id: ApiKeyId, change: impl FnOnce(&mut ApiKeyRecord)) {
        let mut uow = self.api.store.write().await.unwrap();
        let organization = uow.organizations().first_of_everyone().await.unwrap().unwrap().id;
        let mut key = uow.api_keys().find_for_update(organization, id).await.unwrap().unwrap();
        change(&mut key);
        uow.api_keys().update(&key).await.unwrap();
        uow.commit().await.unwrap();
        self.api.clock.advance(TimeDelta::minutes(1));
    }

    async fn events(&self, query: &str, last: Option<&str>) -> Events {
        let response = self.open(query, "text/event-stream", last).await;
        assert_eq!(response.status(), StatusCode::OK);
        Events::of(response)
    }

    async fn text(&self, query: &str) -> String {
        let response = self.open(query, "text/plain", None).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    async fn json(&self, query: &str) -> Answer {
        self.api.get(&format!("{}{query}", self.path)).await
    }
}

/// Takes events off a stream.
struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    fn of(response: Response) -> Self {
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event as its fields; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Vec<String>> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let fields: Vec<String> = event.trim_end().lines().map(str::to_owned).collect();
                // A comment only keeps the connection alive.
                if fields.iter().all(|field| field.starts_with(':')) {
                    continue;
                }
                return Some(fields);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.body.next()).await;
            let chunk = chunk.expect("an event in time")?.expect("no broken stream");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The number and the text of the next line.
    async fn line(&mut self) -> (u64, String) {
        let event = self.next().await.expect("a line");
        let field = |name: &str| event.iter().find_map(|field| field.strip_prefix(name)).unwrap();
        let data: Value = serde_json::from_str(field("data: ")).unwrap();
        assert_eq!(field("id: "), data["seq"].to_string());
        (data["seq"].as_u64().unwrap(), data["text"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn json_tells_the_lines_and_where_to_go_on() {
    let app = Printing::start("log_json").await;
    app.print(&["one", "two", "three"]).await;

    let first = app.json("?limit=2").await;
    assert_json_snapshot!(first.body, @r#"
    {
      "ended": false,
      "lines": [
        {
          "seq": 1,
          "stream": "stdout",
          "text": "one",
          "time": "2026-01-01T00:00:00Z"
        },
        {
          "seq": 2,
          "stream": "stdout",
          "text": "two",
          "time": "2026-01-01T00:00:00Z"
        }
      ],
      "next_seq": 3
    }
    "#);
    let rest = app.json("?after_seq=2").await.body;
    assert_eq!((&rest["lines"][0]["text"], &rest["next_seq"]), (&json!("three"), &json!(4)));
    let beyond = app.json("?after_seq=3").await.body;
    assert_eq!(beyond, json!({ "lines": [], "next_seq": 4, "ended": false }));
    app.end().await;
    assert_eq!(app.json("?limit=2").await.body["ended"], false);
    assert_eq!(app.json("").await.body["ended"], true);
}

#[tokio::test]
async fn a_reader_that_comes_back_gets_every_line_once() {
    let app = Printing::start("log_resume").await;
    app.print(&["one", "two"]).await;

    let mut events = app.events("", None).await;
    assert_eq!(events.line().await, (1, "one".to_owned()));
    assert_eq!(events.line().await, (2, "two".to_owned()));
    app.print(&["three"]).await;
    assert_eq!(events.line().await, (3, "three".to_owned()));
    drop(events);

    app.print(&["four"]).await;
    // What the browser remembers wins over what the address said at first.
    let mut events = app.events("?after_seq=1", Some("3")).await;
    assert_eq!(events.line().await, (4, "four".to_owned()));
    app.print(&["five"]).await;
    assert_eq!(events.line().await, (5, "five".to_owned()));
    app.end().await;
    assert_eq!(events.next().await.unwrap(), ["event: end", "data: {}"]);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn many_readers_get_a_long_log_whole_however_slow_they_are() {
    let app = Printing::start("log_many").await;
    let texts: Vec<String> = (1..=1_000).map(|number| format!("line {number}")).collect();
    for chunk in texts.chunks(250) {
        app.print(&chunk.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    app.end().await;

    let mut readers = Vec::new();
    for _ in 0..10 {
        readers.push(app.events("", None).await);
    }
    // In turns: each is held up by all the others.
    for expected in 1..=1_000 {
        for reader in &mut readers {
            assert_eq!(reader.line().await, (expected, format!("line {expected}")));
        }
    }
    for reader in &mut readers {
        assert_eq!(reader.next().await.unwrap()[0], "event: end");
    }
}

#[tokio::test]
async fn a_stopping_server_lets_its_readers_go() {
    let app = Printing::start("log_stop").await;
    app.print(&["one"]).await;
    let mut events = app.events("", None).await;
    events.line().await;

    app.api.stopping.cancel();

    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_stopping_server_does_not_hand_out_what_is_left_of_a_long_log() {
    let app = Printing::start("log_stop_backlog").await;
    app.print(&["a line"; 1_000]).await;
    let mut events = app.events("", None).await;
    events.line().await;

    app.api.stopping.cancel();

    let mut taken = 1;
    while let Some(event) = events.next().await {
        assert_ne!(event[0], "event: end", "the reader shall come back for the rest");
        taken += 1;
    }
    assert!(taken < 1_000, "{taken} lines");
}

#[tokio::test]
async fn a_stream_ends_with_its_key() {
    let app = Printing::start("log_revoked").await;
    let body = json!({ "name": "brief", "scopes": ["read"] });
    let created = app.api.post("/api/auth/api-keys", body).await.body;
    let key = created["key"].as_str().unwrap();
    app.print(&["one"]).await;
    let mut events = Events::of(app.open_as(key, "", "text/event-stream", None).await);
    assert_eq!(events.line().await, (1, "one".to_owned()));
    let text = app.open_as(key, "?follow=true", "text/plain", None).await;
    let mut text = text.into_body().into_data_stream();
    assert_eq!(text.next().await.unwrap().unwrap(), "one\n");

    let revoked = format!("/api/auth/api-keys/{}", created["id"].as_str().unwrap());
    assert_eq!(app.api.delete(&revoked).await.status, StatusCode::NO_CONTENT);
    app.print(&["two"]).await;

    assert_eq!(events.next().await, None);
    assert!(text.next().await.is_none());
}

#[tokio::test]
async fn a_stream_ends_when_its_reader_is_removed_from_the_organization() {
    let app = Printing::start("log_removed").await;
    let (member, key) = app.api.member_with_key("Grace", Role::Admin).await;
    app.print(&["one"]).await;
    let mut events = Events::of(app.open_as(&key, "", "text/event-stream", None).await);
    assert_eq!(events.line().await, (1, "one".to_owned()));

    let organization = app.api.organization().await;
    let path = format!("/api/organizations/{organization}/members/{member}");
    assert_eq!(app.api.delete(&path).await.status, StatusCode::NO_CONTENT);

    // It need not wait for another line.
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_stream_ends_when_its_key_expires() {
    let app = Printing::start("log_expired").await;
    let body = json!({ "name": "brief", "scopes": ["read"], "expires_at": "2026-01-01T00:10:00Z" });
    let created = app.api.post("/api/auth/api-keys", body).await.body;
    let key = created["key"].as_str().unwrap();
    app.print(&["one"]).await;
    let mut events = Events::of(app.open_as(key, "", "text/event-stream", None).await);
    events.line().await;

    app.api.clock.advance(TimeDelta::minutes(10));
    app.print(&["two"]).await;

    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_stream_ends_when_its_key_may_read_no_logs_any_more() {
    let app = Printing::start("log_narrowed").await;
    let (key, id) = app.reader().await;
    app.print(&["one"]).await;
    let mut events = Events::of(app.open_as(&key, "", "text/event-stream", None).await);
    assert_eq!(events.line().await, (1, "one".to_owned()));

    app.change_key(id, |key| key.scopes = vec!["projects:read".parse().unwrap()]).await;
    app.print(&["two"]).await;

    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_bound_to_other_projects() {
    let app = Printing::start("log_bound").await;
    let other = app.api.project("other").await.parse().unwrap();
    let (key, id) = app.reader().await;
    app.print(&["one"]).await;
    let mut events = Events::of(app.open_as(&key, "", "text/event-stream", None).await);
    assert_eq!(events.line().await, (1, "one".to_owned()));

    app.change_key(id, |key| key.project_ids = Some(vec![other])).await;
    app.print(&["two"]).await;

    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_stream_goes_on_when_its_key_changes_but_still_reads_it() {
    let app = Printing::start("log_still").await;
    let (key, id) = app.reader().await;
    app.print(&["one"]).await;
    let mut events = Events::of(app.open_as(&key, "", "text/event-stream", None).await);
    assert_eq!(events.line().await, (1, "one".to_owned()));

    app.change_key(id, |key| key.scopes.push("projects:read".parse().unwrap())).await;
    app.print(&["two"]).await;

    assert_eq!(events.line().await, (2, "two".to_owned()));
}

#[tokio::test]
async fn text_that_does_not_go_on_ends_where_the_log_ended_when_it_was_asked_for() {
    let app = Printing::start("log_text_until").await;
    app.print(&["one"]).await;
    let mut text = app.open("", "text/plain", None).await.into_body().into_data_stream();
    assert_eq!(text.next().await.unwrap().unwrap(), "one\n");

    app.print(&["two"]).await;

    assert!(text.next().await.is_none());
}

#[tokio::test]
async fn text_is_the_whole_log_so_far_and_goes_on_where_that_is_wanted() {
    let app = Printing::start("log_text").await;
    app.print(&["one", "two"]).await;
    assert_eq!(app.text("").await, "one\ntwo\n");
    assert_eq!(app.text("?after_seq=1").await, "two\n");
    assert_eq!(app.text("?after_seq=2").await, "");

    let following = app.text("?follow=true");
    let printing = async {
        app.print(&["three"]).await;
        app.end().await;
    };
    let (text, ()) = tokio::join!(following, printing);
    assert_eq!(text, "one\ntwo\nthree\n");
}

#[tokio::test]
async fn a_deployment_s_log_is_that_of_its_build() {
    let app = Printing::start("log_build").await;
    let environment = app.path.trim_end_matches("/logs");
    let environment = app.api.get(environment).await;
    let deployment = environment.body["latest_deployment"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/deployments/{deployment}");
    app.api.send(&app.api.owner, Method::POST, &format!("{path}/cancel"), None).await;

    let log = app.api.get(&format!("{path}/logs")).await;

    assert_eq!(log.body["ended"], true);
}

#[tokio::test]
async fn positions_have_bounds() {
    let app = Printing::start("log_bounds").await;
    for query in [
        "?after_seq=-1",
        "?after_seq=1.5",
        "?after_seq=18446744073709551615",
        "?after_seq=99999999999999999999",
        "?limit=0",
        "?limit=1001",
        "?follow=maybe",
        "?from=1",
    ] {
        let refused = app.json(query).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}: {}", refused.body);
    }
    let response = app.open("", "text/event-stream", Some("x")).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}
