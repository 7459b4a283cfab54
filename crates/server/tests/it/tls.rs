//! Apps are reached with TLS, by certificates of the operator.

use std::fs;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Repository, TestServer};

#[tokio::test]
async fn an_app_is_reached_with_tls_and_without_only_by_way_of_it() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let made = rcgen::generate_simple_self_signed(["*.apps.localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let files =
        format!("[{{certificate=\"{}\",key=\"{}\"}}]", certificate.display(), key.display());
    let settings = [
        ("INGRESS__BASE_DOMAIN", "apps.localhost"),
        ("INGRESS__TLS__LISTEN", "127.0.0.1:0"),
        ("INGRESS__TLS__CERTIFICATES", &*files),
    ];
    let server = TestServer::start_with("tls", &settings).await;
    let repository = Repository::answering("over TLS");
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    let environment = server.api.get(&format!("/api/environments/{}", deployed.environment)).await;
    let url = environment.body["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://main-shop.apps.localhost:"), "{url}");

    // Curl asks as a browser would: by the name, with HTTP/2, trusting this certificate.
    let curl = |arguments: &[&str]| {
        let mut command = tokio::process::Command::new("curl");
        command.args(["--silent", "--show-error", "--cacert"]).arg(&certificate).args(arguments);
        let port = url.rsplit(':').next().unwrap();
        command.args(["--resolve", &format!("{}:{port}:127.0.0.1", deployed.host)]);
        command.output()
    };
    let answer = curl(&["--write-out", " %{http_version}", &url]).await.unwrap();
    let said = String::from_utf8_lossy(&answer.stdout);
    assert_eq!(said, "over TLS 2", "{}", String::from_utf8_lossy(&answer.stderr));

    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let plain = plain.build().unwrap().get(format!("http://{}/a?b=c", server.ingress));
    let moved = plain.header("Host", &deployed.host).send().await.unwrap();
    assert_eq!(moved.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(moved.headers()["location"], format!("{url}/a?b=c"));
}
