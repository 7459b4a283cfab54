//! Forges tell over HTTP what has happened.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::{Answer, TestApi};

/// The largest message that GitHub sends.
const MOST_BYTES: usize = 25 * 1024 * 1024;

/// A webhook that is set up on GitHub.
struct Webhook {
    secret: String,
}

impl Webhook {
    async fn of(api: &TestApi, project: &str) -> Self {
        let path = format!("/api/projects/{project}/webhook-secret");
        let made = api.post(&path, json!({})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        Self { secret: made.body["secret"].as_str().unwrap().to_owned() }
    }

    fn sign(&self, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(body);
        format!("sha256={:x}", mac.finalize().into_bytes())
    }

    async fn send(&self, api: &TestApi, event: &str, id: &str, body: Vec<u8>) -> Answer {
        let signature = self.sign(&body);
        deliver(api, event, id, &signature, body).await
    }
}

async fn deliver(api: &TestApi, event: &str, id: &str, signature: &str, body: Vec<u8>) -> Answer {
    let request = Request::post("/api/webhooks/github")
        .header("X-GitHub-Event", event)
        .header("X-GitHub-Delivery", id)
        .header("X-Hub-Signature-256", signature)
        .header("Content-Type", "application/json")
        .body(Body::from(body));
    api.answer(request.unwrap()).await
}

fn push(branch: &str) -> Value {
    json!({
        "ref": format!("refs/heads/{branch}"),
        "before": "f".repeat(40),
        "after": "a".repeat(40),
        "created": true,
        "deleted": false,
        "forced": false,
        "repository": {
            "full_name": "octocat/shop",
            "clone_url": "https://github.com/octocat/shop.git",
        },
    })
}

async fn project(api: &TestApi, repository: &str) -> String {
    let body = json!({ "name": "shop", "github_repo": repository });
    let made = api.post("/api/projects", body).await;
    made.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_push_makes_a_preview_and_is_listed_with_what_came_of_it() {
    let api = TestApi::start("webhook_push").await;
    let project = project(&api, "octocat/shop").await;
    let webhook = Webhook::of(&api, &project).await;
    let body = push("feature/login").to_string().into_bytes();
    let told = webhook.send(&api, "push", "one", body.clone()).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.body);
    let delivery = &told.body["deliveries"][0];
    assert_eq!(delivery["outcome"], "deployed", "{delivery}");
    assert_eq!(delivery["branch"], "feature/login");
    let environment = delivery["environment_id"].as_str().unwrap();
    let environment = api.get(&format!("/api/environments/{environment}")).await.body;
    assert_eq!(
        (&environment["kind"], &environment["branch"]),
        (&json!("preview"), &delivery["branch"])
    );
    assert_eq!(environment["latest_deployment"]["trigger"], "push");
    assert_eq!(environment["latest_deployment"]["commit"], "a".repeat(40));

    let again = webhook.send(&api, "push", "two", body).await;
    assert_eq!(again.body, json!({ "deliveries": [], "known_already": [project] }));
    let listed = api.get(&format!("/api/projects/{project}/webhook-deliveries")).await;
    assert_eq!(listed.body, json!([delivery]));
    let audit = api.get("/api/audit?action=receive_webhook").await.body;
    assert_eq!(
        (&audit[0]["actor"]["kind"], &audit[0]["actor"]["label"]),
        (&json!("forge"), &json!("GitHub webhook"))
    );
}

#[tokio::test]
async fn what_is_forged_truncated_or_too_large_changes_nothing() {
    let api = TestApi::start("webhook_forged").await;
    let project = project(&api, "octocat/shop").await;
    let webhook = Webhook::of(&api, &project).await;
    let body = push("main").to_string().into_bytes();
    let good = webhook.sign(&body);
    let flipped = push("mbin").to_string().into_bytes();
    let other = Webhook { secret: "guessed".to_owned() };
    let truncated = body[..body.len() - 1].to_vec();
    let signed_truncated = webhook.sign(&truncated);
    let huge = vec![b' '; MOST_BYTES + 1];
    let signed_huge = webhook.sign(&huge);
    let cases = [
        ("another secret", other.sign(&body), body.clone(), 403, "invalid_signature"),
        ("no signature", String::new(), body.clone(), 403, "invalid_signature"),
        ("SHA-1", "sha1=00".to_owned(), body.clone(), 403, "invalid_signature"),
        ("the signature of another body", good.clone(), truncated.clone(), 400, "invalid_webhook"),
        ("a flipped letter", good, flipped, 403, "invalid_signature"),
        ("half of it", signed_truncated, truncated, 400, "invalid_webhook"),
        ("30 MB of nothing", String::new(), huge.clone(), 403, "invalid_signature"),
        ("too much", signed_huge, huge, 413, "too_large"),
    ];
    for (number, (what, signature, body, status, code)) in cases.into_iter().enumerate() {
        let id = format!("case-{number}");
        let answer = deliver(&api, "push", &id, &signature, body).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.body);
        assert_eq!(answer.body["code"], code, "{what}: {}", answer.body);
    }
    let environments = api.get(&format!("/api/projects/{project}/environments")).await;
    assert_eq!(environments.body, json!([]));
    let listed = api.get(&format!("/api/projects/{project}/webhook-deliveries")).await;
    assert_eq!(listed.body, json!([]));
}

#[tokio::test]
async fn a_forge_that_nobody_knows_is_not_found() {
    let api = TestApi::start("webhook_unknown").await;
    let request = Request::post("/api/webhooks/bitbucket").body(Body::from("{}"));
    let answer = api.answer(request.unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.body);
}

#[tokio::test]
async fn a_secret_is_shown_once_with_where_it_belongs() {
    let api = TestApi::start("webhook_secret").await;
    let project = project(&api, "octocat/shop").await;
    let path = format!("/api/projects/{project}/webhook-secret");
    let made = api.post(&path, json!({ "overlap_seconds": 60 })).await;
    let secret = made.body["secret"].as_str().unwrap();
    assert!(secret.starts_with("wlwh_") && secret.len() == 69, "{secret}");
    let url = |forge: &str| format!("https://windlass.example.com/api/webhooks/{forge}");
    for forge in ["github", "gitlab", "gitea"] {
        assert_eq!(made.body["urls"][forge], url(forge));
    }
    let refused = api.post(&path, json!({ "overlap_seconds": 604_801 })).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    let dump = api.database.dump().await;
    assert!(dump.iter().all(|row| !row.contains(secret)));
}

#[tokio::test]
async fn previews_are_set_as_the_rest_of_a_project() {
    let api = TestApi::start("webhook_previews").await;
    let project = project(&api, "octocat/shop").await;
    let path = format!("/api/projects/{project}");
    let defaults = json!({
        "enabled": true, "branches": [], "limit": 20, "ttl_seconds": null,
        "idle_pause_seconds": null,
    });
    assert_eq!(api.get(&path).await.body["previews"], defaults);
    let wanted = json!({ "branches": ["feature/**", "!feature/wip-*"], "ttl_seconds": 60 });
    let changed = api.patch(&path, json!({ "previews": wanted })).await.body;
    assert_eq!(changed["previews"]["branches"], wanted["branches"]);
    assert_eq!(changed["previews"]["ttl_seconds"], 60);
    let changed = api.patch(&path, json!({ "previews": { "ttl_seconds": null } })).await.body;
    assert_eq!(changed["previews"]["ttl_seconds"], Value::Null);
    assert_eq!(changed["previews"]["branches"], wanted["branches"]);
    let refused = api.patch(&path, json!({ "previews": { "branches": ["a b", "ok", "["] } })).await;
    let fields: Vec<&Value> =
        refused.body["fields"].as_array().unwrap().iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["previews.branches.0", "previews.branches.2"]);
    let reset = api.patch(&path, json!({ "previews": null })).await.body;
    assert_eq!(reset["previews"], defaults);
}

/// What GitHub really sends: the examples that Octokit keeps, signed anew.
#[expect(clippy::disallowed_methods, reason = "how tests are told of the examples")]
fn examples() -> Vec<(String, Value)> {
    let index = std::env::var("WINDLASS_WEBHOOK_EXAMPLES").expect(
        "no examples are named for this test; they are installed for it by: \
         cargo xtask test -- --package windlass-http",
    );
    let groups: Vec<Value> = serde_json::from_slice(&std::fs::read(index).unwrap()).unwrap();
    let of_group = |group: &Value| {
        let name = group["name"].as_str().unwrap().to_owned();
        let examples = group["examples"].as_array().unwrap().clone();
        examples.into_iter().map(move |example| (name.clone(), example)).collect::<Vec<_>>()
    };
    groups.iter().flat_map(of_group).collect()
}

#[tokio::test]
async fn every_message_that_github_sends_is_taken_in() {
    let api = TestApi::start("webhook_examples").await;
    let project = project(&api, "Codertocat/Hello-World").await;
    let webhook = Webhook::of(&api, &project).await;
    let mut outcomes = std::collections::BTreeMap::<String, usize>::new();
    for (number, (event, example)) in examples().into_iter().enumerate() {
        let is_ours = example["repository"]["full_name"] == "Codertocat/Hello-World";
        let body = example.to_string().into_bytes();
        let told = webhook.send(&api, &event, &format!("example-{number}"), body).await;
        if is_ours {
            assert_eq!(told.status, StatusCode::OK, "{event}: {}", told.body);
            let outcome = told.body["deliveries"][0]["outcome"].as_str().unwrap_or("known");
            *outcomes.entry(format!("{event} {outcome}")).or_default() += 1;
        } else {
            assert_eq!(told.status, StatusCode::FORBIDDEN, "{event}: {}", told.body);
        }
    }
    for expected in ["push deployed", "push ignored", "delete ignored", "pull_request ignored"] {
        assert!(outcomes.contains_key(expected), "{expected}: {outcomes:?}");
    }
}
