//! No secret anywhere: every operation is driven with secrets that can be recognised, and then they
//! are looked for wherever somebody else could read.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;
use windlass_auth::KeyFormat;
use windlass_domain::OsEntropy;

use crate::{
    contract,
    harness::{Answer, TestApi},
    matrix::world::World,
    support::{logged::Logged, secrets::Secrets},
};

const VALUE: &str = "a value of a variable that only its app may see";
const GIT_PASSWORD: &str = "the password in an address of a repository";

/// An API, and what it has answered that anybody may keep.
struct Stage {
    api: TestApi,
    secrets: Secrets,
    kept: Vec<(String, Value)>,
}

impl Stage {
    /// Sends a request, remembers the secrets that the answer shows this once, and keeps the rest.
    async fn send(&mut self, method: &Method, path: &str, body: Option<Value>) -> Answer {
        let owner = self.api.owner.clone();
        let mut answer = self.api.send(&owner, method.clone(), path, body).await;
        if let Some(shown) = answer.body.as_object_mut() {
            let place = format!("what {method} {path} has shown");
            for field in ["key", "token", "url"] {
                let made = shown.get(field).and_then(Value::as_str).map(str::to_owned);
                // A variable has a `key` as well, which is its name.
                let Some(text) = made.filter(|text| 24 <= text.len()) else { continue };
                let secret = text.split_once("?token=").map_or(text.as_str(), |(_, it)| it);
                self.secrets.remember(place.clone(), secret);
                shown.remove(field);
            }
        }
        self.kept.push((format!("the answer to {method} {path}"), answer.body.clone()));
        answer
    }

    /// Shows a credential that opens nothing, or not this.
    async fn knock(&mut self, credential: &str, path: &str) {
        let request = Request::get(path)
            .header(header::AUTHORIZATION, format!("Bearer {credential}"))
            .body(Body::empty());
        let answer = self.api.answer(request.unwrap()).await;
        self.kept.push((format!("the answer to {path}"), answer.body));
    }
}

#[tokio::test]
async fn no_secret_is_anywhere() {
    let (logged, _logging) = Logged::start_from(LevelFilter::TRACE);
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _measuring = metrics::set_default_local_recorder(&recorder);
    let api = TestApi::start("no_secret").await;
    let mut stage = Stage { api, secrets: Secrets::default(), kept: Vec::new() };
    stage.secrets.remember("the owner's key", &stage.api.owner.clone());
    stage.secrets.remember("the value of a variable", VALUE);
    stage.secrets.remember("the password of a repository", GIT_PASSWORD);

    for (path, method, operation) in contract::operations() {
        let id = operation["operationId"].as_str().unwrap();
        let world = World::make(&stage.api).await;
        let (_, session) = world.cookie.split_once('=').unwrap();
        stage.secrets.remember(format!("a session of {id}"), session);
        stage.secrets.remember(format!("a set-up link of {id}"), &world.setup_token);
        stage.secrets.remember(format!("a code of {id}"), world.login_code.expose());
        stage.secrets.remember(format!("the verifier of {id}"), world.verifier.expose());
        let method: Method = method.parse().unwrap();
        let path = world.path(id, path);
        let body = match id {
            "put_env_var" => Some(json!({ "key": "SECRET", "value": VALUE })),
            _ => world.body(id),
        };
        let answer = stage.send(&method, &path, body).await;
        assert!(!answer.status.is_server_error(), "{id}: {}", answer.body);
    }
    refuse_secrets(&mut stage).await;
    let Stage { api, mut secrets, mut kept } = stage;
    kept.push(("the audit log".to_owned(), api.get("/api/audit?limit=200").await.body));

    for (place, body) in kept {
        secrets.assert_absent_from(&place, &body.to_string());
    }
    secrets.assert_absent_from("the metrics", &metrics.render());
    let log = logged.with("");
    assert!(100 < log.len(), "only {} lines were logged", log.len());
    for line in log {
        secrets.assert_absent_from(&format!("the log: {line}"), &line);
    }
    let dump = api.database.dump().await;
    for table in [
        "api_keys",
        "tokens",
        "login_codes",
        "invitations",
        "env_vars",
        "audit_log",
        "signing_keys",
        "sessions",
        "passwords",
    ] {
        assert!(dump.iter().any(|row| row.starts_with(&format!("{table}: "))), "{table}");
    }
    for row in &dump {
        secrets.assert_absent_from(&format!("the database, {row}"), row);
    }
    assert!(8 < secrets.len());
    // What is looked for can be found: an identifier is in all of these places.
    let me = api.get("/api/auth/me").await.body["credential"]["prefix"].clone();
    secrets.remember("what is public", &format!("{}{}0000", "x".repeat(12), me.as_str().unwrap()));
    let found = std::panic::catch_unwind(|| secrets.assert_absent_from("", &dump.join("\n")));
    assert!(found.is_err(), "the search finds what is there");
}

/// Requests that are refused, with secrets in every place.
async fn refuse_secrets(stage: &mut Stage) {
    let unknown = KeyFormat::default().generate(&OsEntropy).key.expose().to_owned();
    let mistyped = format!("{}x", &unknown[..unknown.len() - 1]);
    let link = {
        let world = World::make(&stage.api).await;
        world.link(&stage.api).await
    };
    for (what, text) in [("an unknown key", &unknown), ("a link's token", &link)] {
        stage.secrets.remember(what, text);
    }
    for credential in [&unknown, &mistyped, &link, &format!("{link}x")] {
        stage.knock(credential, "/api/projects").await;
        stage.knock(credential, &format!("/api/projects?token={credential}")).await;
        stage.knock(credential, &format!("/api/deployments/{credential}")).await;
        let path =
            format!("/api/deployments/dep_01kdvdna000000000000000006/logs?token={credential}");
        let answer = stage.api.answer(Request::get(&path).body(Body::empty()).unwrap()).await;
        stage.kept.push(("the answer to a link".to_owned(), answer.body));
    }
    let with_password =
        format!("https://me:{}@git.example.com/shop.git", GIT_PASSWORD.replace(' ', "_"));
    stage.secrets.remember("a password in an address", &GIT_PASSWORD.replace(' ', "_"));
    for (path, body) in [
        ("/api/projects", json!({ "name": "shop", "git_url": with_password })),
        ("/api/projects", json!({ "name": [VALUE], "git_url": 1 })),
        ("/api/projects", json!({ "name": "shop", "git_url": VALUE })),
        ("/api/auth/tokens/revoke", json!({ "token": [unknown] })),
        ("/api/auth/tokens/revoke", json!({ "token": unknown })),
        ("/api/auth/api-keys", json!({ "name": "a", "scopes": { "a": VALUE } })),
    ] {
        let answer = stage.send(&Method::POST, path, Some(body)).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    let project = stage.api.project("shop").await;
    let path = format!("/api/projects/{project}/env-vars");
    for body in [
        json!({ "key": "1", "value": VALUE }),
        json!({ "key": "A", "value": { "a": VALUE } }),
        json!({ "key": "A", "value": format!("{VALUE}\0") }),
        json!({ "key": "A", "value": VALUE, "environment_id": VALUE }),
    ] {
        let answer = stage.send(&Method::PUT, &path, Some(body)).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
    }
}
