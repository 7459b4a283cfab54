//! Hostile input over the real door: a clear refusal, and nothing written.

use std::fmt::Write as _;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Repository, TestServer};

/// Texts that no field takes as an id, an address, a branch or a number.
fn corpus() -> Vec<String> {
    let mut texts: Vec<String> = [
        "\0",
        "a\0b",
        "\u{1}\u{7f}",
        "\u{202e}evil",
        "\u{feff}bom",
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x",
        "ext::sh -c id",
        "../../etc/passwd",
        "..",
        "%00",
        "'; DROP TABLE project; --",
        "${jndi:ldap://x}",
        "999999999999999999999999999999",
        "-1",
        "1e309",
        "\u{1f980}\u{fe0f}",
        "null",
        "\n\r\t",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    texts.push("x".repeat(1 << 20));
    texts
}

/// Those of the texts that git takes for names of branches.
const BRANCHES: [&str; 5] =
    ["%00", "999999999999999999999999999999", "1e309", "\u{1f980}\u{fe0f}", "null"];

fn is_refusal(status: StatusCode, body: &Value) -> bool {
    let is_ours =
        ["error", "message", "code", "request_id"].iter().all(|key| body[key].is_string());
    status.is_client_error() && is_ours
}

async fn counts(server: &TestServer, project: &str) -> Value {
    let mut counts = Vec::new();
    for path in [
        "/api/projects?limit=200".to_owned(),
        format!("/api/projects/{project}/environments"),
        format!("/api/projects/{project}/env-vars"),
        "/api/auth/api-keys".to_owned(),
    ] {
        counts.push(server.api.get(&path).await.body.as_array().unwrap().len());
    }
    json!(counts)
}

#[tokio::test]
async fn every_field_of_every_body() {
    let server = TestServer::start("hostile_bodies").await;
    let repository = Repository::with(&[("index.html", "")]);
    let project = server.api.create_project(repository.path(), json!({})).await;
    let before = counts(&server, &project).await;

    let bodies = [
        (
            Method::POST,
            "/api/projects".to_owned(),
            json!({ "name": "x", "git_url": "https://git.example.com/x.git" }),
            vec![
                "git_url",
                "github_repo",
                "default_branch",
                "port",
                "health_path",
                "resources",
                "services",
                "nonsense",
            ],
        ),
        (
            Method::POST,
            format!("/api/projects/{project}/environments"),
            json!({ "branch": "main" }),
            vec!["branch", "nonsense"],
        ),
        (
            Method::PUT,
            format!("/api/projects/{project}/env-vars"),
            json!({ "key": "A", "value": "b" }),
            vec!["key", "environment_id", "nonsense"],
        ),
        (
            Method::POST,
            "/api/auth/api-keys".to_owned(),
            json!({ "name": "x", "scopes": ["read"] }),
            vec!["scopes", "project_ids", "expires_at", "nonsense"],
        ),
    ];
    for (method, path, good, fields) in bodies {
        for field in fields {
            let mut values: Vec<Value> = corpus().into_iter().map(Value::String).collect();
            values.extend([
                json!([[[]]]),
                json!({ "a": {} }),
                json!(1e300),
                json!(-7),
                json!(true),
            ]);
            // Strange, but good: git takes them for branches, and a shell for a variable.
            let is_good = |text: &str| match field {
                "branch" | "default_branch" => BRANCHES.contains(&text),
                "key" => text == "null",
                _ => false,
            };
            values.retain(|value| !value.as_str().is_some_and(is_good));
            for value in values {
                let mut body = good.clone();
                body[field] = value;
                let answer =
                    server.api.send(server.api.request(method.clone(), &path).json(&body)).await;
                let shown: String = body[field].to_string().chars().take(60).collect();
                assert!(
                    is_refusal(answer.status, &answer.body),
                    "{path} {field}={shown}: {answer:?}"
                );
            }
        }
    }
    assert_eq!(counts(&server, &project).await, before);
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let server = TestServer::start("hostile_json").await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{\"name\":\"a\xff\"}".to_vec(),
        br#"{"name":"a","name":"b","git_url":"https://a/b"}"#.to_vec(),
        br#"{"name":"\ud800","git_url":"https://a/b"}"#.to_vec(),
        deep.into_bytes(),
        vec![b' '; 3 << 20],
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).chars().take(60).collect::<String>();
        let request = server.api.request(Method::POST, "/api/projects");
        let request = request.header("Content-Type", "application/json").body(body);
        let answer = server.api.send(request).await;
        assert!(is_refusal(answer.status, &answer.body), "{shown}: {answer:?}");
    }
    let typeless = server.api.request(Method::POST, "/api/projects").body("{}");
    let answer = server.api.send(typeless).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{answer:?}");
    assert_eq!(server.api.get("/api/projects").await.body, json!([]));
}

#[tokio::test]
async fn every_path_and_query() {
    let server = TestServer::start("hostile_paths").await;
    let encode = |text: &str| -> String {
        let mut encoded = String::new();
        for byte in text.bytes().take(4_000) {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        encoded
    };
    for text in corpus() {
        let text = encode(&text);
        for path in [
            format!("/api/projects/{text}"),
            format!("/api/environments/{text}"),
            format!("/api/deployments/{text}/logs"),
            format!("/api/projects?limit={text}"),
            format!("/api/projects?cursor={text}"),
            format!("/api/projects?nonsense={text}"),
            format!("/usage?from={text}"),
            format!("/{text}"),
        ] {
            let answer = server.api.get(&path).await;
            // A path segment of dots is resolved by the client itself.
            if answer.status.is_success() {
                assert!(text == "%2E%2E", "{path}: {answer:?}");
                continue;
            }
            assert!(is_refusal(answer.status, &answer.body), "{path}: {answer:?}");
        }
    }
    let broken = server.api.get("/api/projects/%ff%fe").await;
    assert!(is_refusal(broken.status, &broken.body), "{broken:?}");
}
