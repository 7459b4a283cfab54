//! The requests that the pages of nixbuild.net, Nexos and Norrix print, word for word, with the
//! programs that they are printed for. Only the host is another one, and a token, which nobody
//! else can make; the keys are those of the pages, imported.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command};
use windlass_auth::{BcryptCost, HasherOptions, KeyHasher, PlainKey};

use crate::support::TestServer;

const NIXBUILD_TOKEN: &str = "EpABCiYKB2FjY291bnQYAyIJCgcIgAgSAhABMg4KDAoCCBsSBggDEgIYABIkCAASIFeRyO2t1bxV2ZlLJKkp4S97nCyAz1ieyrCLv_RzYI0EGkCYCkIllHyVVnfZwyh0zxcKO-iqgtHkkaudYvZE9wL6otfeMe-ATkGh0Gkz_KyLt_YEbt__X5DRJ6Tj_41Z35APIiIKIHmZTFwQzdy2GZadSXRFYscLTHnbb_spQgLonsqos2tv";

const NIXBUILD_USAGE: &str = "curl -s https://api.nixbuild.net/usage \\
    -H 'Authorization: Bearer EpABCiYKB2FjY291bnQYAyIJCgcIgAgSAhABMg4KDAoCCBsSBggDEgIYABIkCAASIFeRyO2t1bxV2ZlLJKkp4S97nCyAz1ieyrCLv_RzYI0EGkCYCkIllHyVVnfZwyh0zxcKO-iqgtHkkaudYvZE9wL6otfeMe-ATkGh0Gkz_KyLt_YEbt__X5DRJ6Tj_41Z35APIiIKIHmZTFwQzdy2GZadSXRFYscLTHnbb_spQgLonsqos2tv'";

const NEXOS_LIST: &str = "curl https://api.nexos.dev/api/projects \\
-H \"Authorization: Bearer nxs_your_api_key_here\"";

/// As it is printed, a request and not a command.
const NEXOS_CREATE: &str = r#"POST /api/projects
Content-Type: application/json
Authorization: Bearer nxs_your_api_key
{
"name": "my-app",
"github_repo": "octocat/my-app",
"dockerfile": "Dockerfile",
"build_context": ".",
"services": {
"postgres": true,
"redis": true,
"s3": false
}
}"#;

const NORRIX_CURL: &str =
    r#"curl -X GET https://norrix.net/api/build \ -H "Authorization: Bearer nrx_abc123...""#;

const NORRIX_FETCH: &str = "const response = await fetch('https://norrix.net/api/build', { headers: { Authorization: `Bearer ${process.env.NORRIX_API_KEY}`, 'Content-Type': 'application/json', }, }); const builds = await response.json();";

const NORRIX_NONE: &str = r#"{ "error": "Unauthorized", "message": "No authentication provided" }"#;
const NORRIX_INVALID: &str =
    r#"{ "error": "Unauthorized", "message": "Invalid or expired API key" }"#;
const NORRIX_SCOPE: &str =
    r#"{ "error": "Forbidden", "message": "API key does not have 'build' scope" }"#;

/// A program's answer, as JSON.
async fn told(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Value {
    let output = Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap_or_else(|err| panic!("`cargo xtask test` installs {program}: {err}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn shell(command: &str) -> Value {
    told("sh", &["-c", command], &[]).await
}

/// Imports keys by their hashes.
async fn import(server: &TestServer, keys: &[(&str, &str)]) {
    let options = HasherOptions { cost: BcryptCost::MIN, ..HasherOptions::default() };
    let hasher = KeyHasher::new(options);
    let mut lines = String::new();
    for (key, scope) in keys {
        let hash = hasher.hash(&PlainKey::from((*key).to_owned())).await.unwrap();
        let line = json!({
            "prefix": &key[..8], "hash": hash, "name": "of the page", "scopes": [scope],
        });
        lines.extend([line.to_string(), "\n".to_owned()]);
    }
    let mut process = server.admin(&["import-keys", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(lines.as_bytes()).await.unwrap();
    assert!(process.wait().await.unwrap().success());
}

#[track_caller]
fn same_words(answer: &Value, printed: &str) {
    let printed: Value = serde_json::from_str(printed).unwrap();
    for field in ["error", "message"] {
        assert_eq!(answer[field], printed[field]);
    }
}

#[tokio::test]
async fn the_usage_of_nixbuild_is_told_to_a_read_only_token() {
    let server = TestServer::start("page_nixbuild").await;
    let body = json!({ "label": "page", "read_only": true });
    let created = server.api.post("/api/auth/tokens", body).await;
    let token = created.body["token"].as_str().unwrap_or_else(|| panic!("{created:?}"));

    let command = NIXBUILD_USAGE.replace("https://api.nixbuild.net", server.api.base());
    let usage = shell(&command.replace(NIXBUILD_TOKEN, token)).await;
    assert_eq!(usage["billable_cpu_seconds"], json!(0));
    assert_eq!(usage["billable_build_count"], json!(0));

    let refused = shell(&command).await;
    assert_eq!(refused["error"], "Unauthorized", "their token is not ours");
}

#[tokio::test]
async fn a_project_of_nexos_is_created_and_listed() {
    let server = TestServer::start("page_nexos").await;
    import(&server, &[("nxs_your_api_key_here", "read"), ("nxs_your_api_key", "admin")]).await;

    let (head, body) = NEXOS_CREATE.split_once("\n{").unwrap();
    let (request, headers) = head.split_once('\n').unwrap();
    let (method, path) = request.split_once(' ').unwrap();
    let (url, body) = (format!("{}{path}", server.api.base()), format!("{{{body}"));
    let mut arguments = vec!["-s", "-X", method, &url, "-d", &body];
    arguments.extend(headers.lines().flat_map(|header| ["-H", header]));
    let created = told("curl", &arguments, &[]).await;
    for (field, printed) in serde_json::from_str::<Value>(&body).unwrap().as_object().unwrap() {
        assert_eq!(&created[field], printed, "{created}");
    }
    assert_eq!(created["slug"], "my-app");

    let command = NEXOS_LIST.replace("https://api.nexos.dev", server.api.base());
    let listed = shell(&command).await;
    assert_eq!(listed[0]["id"], created["id"], "{listed}");
}

/// There are no builds of Norrix here yet, so the requests are sent to the one of its routes that
/// is: its keys.
#[tokio::test]
async fn norrix_is_asked_by_curl_and_by_fetch_and_refuses_in_its_own_words() {
    let server = TestServer::start("page_norrix").await;
    import(&server, &[("nrx_abc123...", "admin"), ("nrx_your_api_key", "build")]).await;
    let here = |printed: &str| {
        printed
            .replace("https://norrix.net", server.api.base())
            .replace("/api/build", "/api/api-keys")
    };
    // The page has put two lines into one.
    let command = here(NORRIX_CURL).replace("\\ -H", "-H");
    let script = format!("{}; console.log(JSON.stringify(builds))", here(NORRIX_FETCH));
    let by_fetch = async |key: &str| {
        let arguments = ["--input-type=module", "--eval", &script];
        told("node", &arguments, &[("NORRIX_API_KEY", key)]).await
    };

    let listed = shell(&command).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(3), "{listed}");
    assert_eq!(by_fetch("nrx_abc123...").await, listed);

    let none = command.split(" -H").next().unwrap();
    same_words(&shell(none).await, NORRIX_NONE);
    let wrong = command.replace("nrx_abc123...", "nrx_abc123");
    same_words(&shell(&wrong).await, NORRIX_INVALID);
    same_words(&by_fetch("nrx_mistyped").await, NORRIX_INVALID);
    let forbidden = by_fetch("nrx_your_api_key").await;
    same_words(&forbidden, &NORRIX_SCOPE.replace("'build'", "'admin'"));
}
