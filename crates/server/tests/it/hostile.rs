//! Hostile input over the real door: a clear refusal, and nothing written.
//!
//! What is tried is made from the API's document, so that an operation or a field that is new is
//! tried as well; see `hostile/corpus.rs` for what is thrown at it, and for who takes what.

mod corpus;
mod document;
mod stage;
mod wire;

use std::{fmt::Write as _, future::ready};

use futures_util::{StreamExt as _, stream};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use self::{
    corpus::{Kind, MISENCODED, bodies, takes, texts, tokens},
    document::{Body, Field, Operation, Parameter, Place, operations},
    stage::Stage,
};
use crate::support::{Answer, Repository, TestServer};

/// How many requests are under way together.
const AT_ONCE: usize = 8;

/// Whether a request was refused, in the words of the API.
fn is_refusal(status: u16, body: &Value) -> bool {
    let is_ours =
        ["error", "message", "code", "request_id"].iter().all(|key| body[key].is_string());
    (400..500).contains(&status) && is_ours
}

fn is_refused_as(answer: &Answer, status: StatusCode) -> bool {
    answer.status == status && is_refusal(status.as_u16(), &answer.body)
}

/// A request as a failure of the test shows it.
fn shown(operation: &Operation, bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(300).collect();
    format!("{} {text:?}", operation.id)
}

/// Nothing that was tried was a surprise to the server.
fn assert_calm(server: &TestServer) {
    let log = server.log();
    let is_bad = |line: &&str| line.contains("panicked") || line.contains("request failed");
    assert_eq!(log.lines().find(is_bad), None);
}

#[tokio::test]
async fn every_field_of_every_body() {
    let stage = Stage::set("hostile_fields", operations()).await;
    for operation in &stage.operations {
        let Some(body) = &operation.body else { continue };
        if operation.counts_attempts() {
            continue;
        }
        let mut plain = Value::Null;
        if operation.is_for_good() {
            let control = stage.send(operation, body.good.to_string().into_bytes()).await;
            assert!(control.status.is_success(), "{}: not a good body: {control:?}", operation.id);
            if operation.reads_back() {
                plain = stage.read_back(operation, &control).await;
            }
        }
        let before = stage.stored().await;
        for field in &body.fields {
            refuse_misfits(&stage, operation, body, field).await;
        }
        assert_eq!(stage.stored().await, before, "{}", operation.id);
        for field in body.fields.iter().filter(|_| operation.is_for_good()) {
            take_the_rest(&stage, operation, body, field, &plain).await;
        }
    }
    assert_calm(&stage.server);
}

async fn refuse_misfits(stage: &Stage, operation: &Operation, body: &Body, field: &Field) {
    let misfits = tokens(field).into_iter().filter(|token| token.good.is_none());
    let misfits = misfits.map(|token| body.with(field, &token.json));
    let misfits = misfits.chain(body.with_twice(field));
    at_once(misfits, async |bytes: Vec<u8>| {
        let shown = shown(operation, &bytes);
        let answer = stage.send(operation, bytes).await;
        assert!(is_refusal(answer.status.as_u16(), &answer.body), "{shown}: {answer:?}");
        // For this field's sake, and not for another reason.
        let names_it = answer.body["message"].as_str().unwrap().contains(field.member());
        let is_no_json = answer.body["code"] == "invalid_json";
        assert!(names_it || is_no_json, "{shown}: {answer:?}");
    })
    .await;
}

/// Tries everything, several at a time: where all is refused, no order matters.
#[expect(clippy::future_not_send, reason = "a test stays on its thread")]
async fn at_once<T>(all: impl IntoIterator<Item = T>, attempt: impl AsyncFn(T)) {
    let attempts = stream::iter(all).map(|it| attempt(it));
    attempts.buffer_unordered(AT_ONCE).for_each(|()| ready(())).await;
}

async fn take_the_rest(
    stage: &Stage,
    operation: &Operation,
    body: &Body,
    field: &Field,
    plain: &Value,
) {
    for token in tokens(field) {
        let Some(value) = token.good else { continue };
        let bytes = body.with(field, &token.json);
        let shown = shown(operation, &bytes);
        let answer = stage.send(operation, bytes).await;
        assert!(answer.status.is_success(), "{shown}: {answer:?}");
        if !operation.reads_back() {
            continue;
        }
        let found = stage.read_back(operation, &answer).await;
        let found = found.pointer(&field.pointer).unwrap_or(&Value::Null);
        let is_kept = if value.is_null() {
            // Says the same as nothing.
            found.is_null() || Some(found) == plain.pointer(&field.pointer)
        } else if value.is_number() {
            found.as_f64() == value.as_f64()
        } else if operation.id == "put_env_var" && field.name() == "value" {
            *found == masked(value.as_str().unwrap())
        } else {
            *found == value
        };
        assert!(is_kept, "{shown}: {found}");
    }
}

/// What the API shows of a variable's value.
fn masked(value: &str) -> String {
    let count = value.chars().count();
    let end: String =
        if count < 12 { String::new() } else { value.chars().skip(count - 4).collect() };
    format!("********{end}")
}

#[tokio::test]
async fn every_body_as_a_whole() {
    let stage = Stage::set("hostile_bodies", operations()).await;
    for operation in &stage.operations {
        let Some(body) = &operation.body else { continue };
        let before = stage.stored().await;
        for bytes in bodies(&body.good) {
            let answer = stage.send(operation, bytes.clone()).await;
            let shown = shown(operation, &bytes);
            assert!(is_refused_as(&answer, StatusCode::BAD_REQUEST), "{shown}: {answer:?}");
        }
        let good = body.good.to_string();
        let endless = format!("{good}{}", " ".repeat(3 << 20));
        let answer = stage.send(operation, endless.into_bytes()).await;
        let is_right = is_refused_as(&answer, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(is_right, "{}: {answer:?}", operation.id);
        for kind in [None, Some(""), Some("text/plain"), Some("application/jsonx"), Some("\u{ff}")]
        {
            let answer = typed(&stage, operation, kind, &good).await;
            let is_right = is_refused_as(&answer, StatusCode::UNSUPPORTED_MEDIA_TYPE);
            assert!(is_right, "{} as {kind:?}: {answer:?}", operation.id);
        }
        assert_eq!(stage.stored().await, before, "{}", operation.id);
    }
    assert_calm(&stage.server);
}

async fn typed(stage: &Stage, operation: &Operation, kind: Option<&str>, body: &str) -> Answer {
    let request = stage.request(operation).body(body.to_owned());
    let request = match kind {
        Some(kind) => request.header(header::CONTENT_TYPE, kind.as_bytes()),
        None => request,
    };
    stage.api().send(request).await
}

#[tokio::test]
async fn every_path_query_and_header() {
    let stage = Stage::set("hostile_heads", operations()).await;
    for operation in &stage.operations {
        let before = stage.stored().await;
        for parameter in &operation.parameters {
            at_once(texts(20_000), async |(kind, text): (Kind, String)| {
                try_text(&stage, operation, parameter, kind, &text).await;
            })
            .await;
            if parameter.place != Place::Header {
                for text in MISENCODED {
                    refuse(&stage, operation, parameter, text).await;
                }
            }
        }
        // Nothing is no parameter either.
        let names = texts(20_000).filter(|(_, name)| !name.is_empty());
        at_once(names, async |(_, name): (Kind, String)| {
            refuse_query(&stage, operation, &format!("{}=1", encoded(&name))).await;
        })
        .await;
        assert_eq!(stage.stored().await, before, "{}", operation.id);
    }
    for (_, text) in texts(20_000).filter(|(_, text)| !text.is_empty()) {
        let start = format!("GET /{}", encoded(&text));
        let request = wire::request(stage.api(), &start, "", "");
        let reply = wire::exchange(stage.api(), &request).await.unwrap();
        let is_right = is_refusal(reply.status, &reply.body) && reply.status == 404;
        assert!(is_right, "{text:?}: {reply:?}");
    }
    assert_calm(&stage.server);
}

async fn try_text(
    stage: &Stage,
    operation: &Operation,
    parameter: &Parameter,
    kind: Kind,
    text: &str,
) {
    let is_good = takes(&parameter.name).contains(&kind);
    if parameter.place == Place::Query && is_good {
        let path = format!("{}?{}={}", stage.path(operation), parameter.name, encoded(text));
        let (status, body) = ask(stage, operation, &path, None).await;
        return assert_eq!(status, 200, "{path}: {body}");
    }
    if parameter.place != Place::Header {
        return refuse(stage, operation, parameter, &encoded(text)).await;
    }
    if text.chars().any(|c| c.is_ascii_control()) {
        // No header can have it: see the test below.
        return;
    }
    let (status, body) =
        ask(stage, operation, &stage.path(operation), Some((parameter, text))).await;
    let is_right = if is_good { status == 200 } else { is_refusal(status, &body) };
    assert!(is_right, "{} {}: {text:?}: {status} {body}", operation.id, parameter.name);
}

/// Asks with a path or a query that names nothing.
async fn refuse(stage: &Stage, operation: &Operation, parameter: &Parameter, encoded: &str) {
    let name = &parameter.name;
    if parameter.place == Place::Query {
        refuse_query(stage, operation, &format!("{name}={encoded}")).await;
        return refuse_query(stage, operation, &format!("{name}=1&{name}={encoded}")).await;
    }
    let path = operation.path(|found| {
        if found.name == *name { encoded.to_owned() } else { stage.sample(operation, found) }
    });
    let (status, body) = ask(stage, operation, &path, None).await;
    assert!(is_refusal(status, &body) && status == 404, "{} {path}: {status} {body}", operation.id);
}

async fn refuse_query(stage: &Stage, operation: &Operation, query: &str) {
    let path = format!("{}?{query}", stage.path(operation));
    let (status, body) = ask(stage, operation, &path, None).await;
    // What an address names by a query, such as `id`, may be legible and still be nothing.
    let is_right = is_refusal(status, &body) && (body["code"] == "invalid_query" || status == 404);
    assert!(is_right, "{} {query}: {status} {body}", operation.id);
}

async fn ask(
    stage: &Stage,
    operation: &Operation,
    target: &str,
    header: Option<(&Parameter, &str)>,
) -> (u16, Value) {
    let header = header.map_or_else(String::new, |(it, value)| format!("{}: {value}\r\n", it.name));
    let body = operation.body.as_ref().map_or_else(String::new, |body| body.good.to_string());
    let request = stage.bytes(operation, target, &header, &body);
    let reply = wire::exchange(stage.api(), &request).await;
    let reply = reply.unwrap_or_else(|| panic!("{} {target}: no answer", operation.method));
    (reply.status, reply.body)
}

/// Every byte in the form in which it can be part of an address.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").unwrap();
        encoded
    })
}

/// Here the refusal is HTTP's own and comes before ours, or the server hangs up.
#[tokio::test]
async fn what_is_no_http() {
    let server = TestServer::start("hostile_wire").await;
    let api = &server.api;
    let much = "x".repeat(1 << 20);
    let with = |start: &str, header: &str| wire::request(api, start, header, "");
    let get = |target: &str| with(&format!("GET {target}"), "");
    let header = |header: &str| with("GET /api/projects", header);
    let post = |header: &str, body: &str| {
        let key = api.key();
        format!(
            "POST /api/projects HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Bearer {key}\r\nContent-Type: application/json\r\n{header}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    let requests = [
        b"\0\0\0\0\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET /healthz HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /api/projects/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
        b"G\0T /healthz HTTP/1.1\r\n\r\n".to_vec(),
        get("api/projects"),
        get("/../../etc/passwd"),
        get("/api/projects/../../etc/passwd"),
        get("/a b"),
        get("/\0"),
        get(&format!("/{much}")),
        get(&format!("/{}", &much[..100_000])),
        get(&format!("/api/projects?limit={}", &much[..100_000])),
        with(&format!("{} /healthz", &much[..10_000]), ""),
        with("CONNECT evil.example.com:443", ""),
        with("TRACE /healthz", ""),
        header("X: a\0b\r\n"),
        header("X Y: z\r\n"),
        header(": z\r\n"),
        header("Authorization: Bearer other\r\n"),
        header(&format!("X: {much}\r\n")),
        header(&"X: y\r\n".repeat(10_000)),
        post("Content-Length: -1", "{}"),
        post("Content-Length: x", "{}"),
        post("Content-Length: 2\r\nContent-Length: 3", "{}x"),
        post("Content-Length: 999999999999999999999", "{}"),
        post("Transfer-Encoding: gzip", "{}"),
        post("Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    ];
    let unfinished = [
        b"".to_vec(),
        b"GET /healthz".to_vec(),
        post("Content-Length: 100", "{}"),
        post("Transfer-Encoding: chunked", "2\r\n{}"),
    ];
    let mut replies = Vec::new();
    for request in requests {
        replies.push((wire::exchange(api, &request).await, request));
    }
    for request in unfinished {
        replies.push((wire::break_off(api, &request).await, request));
    }
    for (reply, request) in replies {
        let shown: String = String::from_utf8_lossy(&request).chars().take(300).collect();
        let is_refused = reply.as_ref().is_none_or(|reply| (400..500).contains(&reply.status));
        assert!(is_refused, "{shown:?}: {reply:?}");
    }
    assert_eq!(api.get("/api/projects").await.body, json!([]));
    assert_calm(&server);
}

/// What a variable may say is not to be seen through the API: here its app says it.
#[tokio::test]
async fn a_strange_value_reaches_the_app_as_it_is() {
    let server = TestServer::start("hostile_values").await;
    let app = r#"
import http.server, json, os

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({k: v for k, v in os.environ.items() if k[:5] == "TEXT_"}).encode())
    def log_message(self, *arguments):
        pass

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"#;
    let repository =
        Repository::with(&[("app.py", app), ("Procfile", "web: exec python3 app.py\n")]);
    let project = server.api.create_project(repository.path(), json!({})).await;
    let mut given = json!({});
    let longest = (Kind::Word, "x".repeat(32_768));
    let values = texts(0).filter(|(kind, _)| takes("value").contains(kind)).chain([longest]);
    for (index, (_, value)) in values.enumerate() {
        let key = format!("TEXT_{index}");
        let path = format!("/api/projects/{project}/env-vars");
        let put = server.api.put(&path, json!({ "key": key, "value": value })).await;
        assert!(put.status.is_success(), "{put:?}");
        given[key] = json!(value);
    }
    let environment = server.api.create_environment(&project, "main").await;
    let id = environment["latest_deployment"]["id"].as_str().unwrap();
    let deployment = server.api.settled(id).await;
    assert_eq!(deployment["state"], "live", "{deployment}");
    let host = crate::support::host_of(&environment);
    let (_, said) = server.api.visit(&server.ingress, &host).await;
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), given);
}
