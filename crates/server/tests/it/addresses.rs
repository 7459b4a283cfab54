//! Keys that open from some addresses only, behind a proxy.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::TestServer;

async fn status_behind(server: &TestServer, key: &str, forwarded: Option<&str>) -> StatusCode {
    let api = server.api.with_key(key);
    let mut request = api.request(Method::GET, "/api/auth/me");
    if let Some(forwarded) = forwarded {
        request = request.header("x-forwarded-for", forwarded);
    }
    api.send(request).await.status
}

async fn key_for(server: &TestServer, address: &str) -> String {
    let body = json!({ "name": "bound", "scopes": [], "allowed_addresses": [address] });
    let created = server.api.post("/api/auth/api-keys", body).await;
    created.body["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_server_believes_its_proxies_and_nobody_else() {
    let trusting = [("SERVER__TRUSTED_PROXIES", "[\"127.0.0.0/8\"]")];
    let behind = TestServer::start_with("addresses_behind", &trusting).await;
    let key = key_for(&behind, "203.0.113.0/24").await;
    let status = async |forwarded| status_behind(&behind, &key, forwarded).await;
    assert_eq!(status(Some("192.0.2.1, 203.0.113.7")).await, StatusCode::OK);
    assert_eq!(status(Some("203.0.113.7, 192.0.2.1")).await, StatusCode::FORBIDDEN);
    assert_eq!(status(None).await, StatusCode::FORBIDDEN);

    let open = TestServer::start("addresses_open").await;
    let (local, remote) = (key_for(&open, "127.0.0.1").await, key_for(&open, "203.0.113.7").await);
    let lie = Some("203.0.113.7");
    assert_eq!(status_behind(&open, &local, lie).await, StatusCode::OK);
    assert_eq!(status_behind(&open, &remote, lie).await, StatusCode::FORBIDDEN);
}
