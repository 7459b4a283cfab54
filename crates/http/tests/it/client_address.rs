//! Where requests come from, and keys that open only from there.

use std::net::SocketAddr;

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::json;
use windlass_http::{ForwardedHeader, Peer, TrustedProxies};

use crate::harness::{Answer, TestApi};

async fn get_from(
    api: &TestApi,
    key: &str,
    peer: Option<&str>,
    header: Option<(&str, &str)>,
) -> Answer {
    let mut request = TestApi::request(key, Method::GET, "/api/auth/me");
    if let Some(peer) = peer {
        let address: std::net::IpAddr = peer.parse().unwrap();
        request = request.extension(Peer(SocketAddr::new(address, 4711)));
    }
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    api.answer(request.body(Body::empty()).unwrap()).await
}

async fn bound_key(api: &TestApi, addresses: &[&str]) -> String {
    let body = json!({ "name": "bound", "scopes": [], "allowed_addresses": addresses });
    let created = api.post("/api/auth/api-keys", body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    assert_eq!(created.body["allowed_addresses"], json!(addresses));
    created.body["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_opens_from_its_addresses_alone_and_says_so_elsewhere() {
    let api = TestApi::start("address_not_allowed").await;
    let key = bound_key(&api, &["203.0.113.0/24", "2001:db8::/32"]).await;

    for right in ["203.0.113.7", "::ffff:203.0.113.7", "2001:db8::1"] {
        let me = get_from(&api, &key, Some(right), None).await;
        assert_eq!(me.status, StatusCode::OK, "{right}");
        let listed = json!(["203.0.113.0/24", "2001:db8::/32"]);
        assert_eq!(me.body["credential"]["allowed_addresses"], listed);
    }
    let lie = Some(("x-forwarded-for", "203.0.113.7"));
    for (wrong, header) in [(Some("198.51.100.1"), None), (Some("198.51.100.1"), lie), (None, lie)]
    {
        let refused = get_from(&api, &key, wrong, header).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(
            refused.body,
            json!({
                "error": "Forbidden",
                "message": "API key may not be used from this address",
                "code": "address_not_allowed",
                "request_id": "test",
            })
        );
    }
    // Whoever has no right secret does not learn that there is such a key.
    let mut wrong = key.clone();
    wrong.pop();
    let refused = get_from(&api, &wrong, Some("198.51.100.1"), None).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_trusted_proxy_says_where_a_request_comes_from() {
    for (header, name, said) in [
        (ForwardedHeader::XForwardedFor, "x-forwarded-for", "192.0.2.1, 203.0.113.7"),
        (ForwardedHeader::Forwarded, "forwarded", "for=192.0.2.1, for=203.0.113.7"),
    ] {
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        let proxies = TrustedProxies { networks, header };
        let api = TestApi::start_behind(name, proxies).await;
        let key = bound_key(&api, &["203.0.113.7"]).await;
        let status =
            async |peer, value| get_from(&api, &key, Some(peer), Some((name, value))).await.status;

        assert_eq!(status("10.0.0.1", said).await, StatusCode::OK);
        assert_eq!(status("198.51.100.1", said).await, StatusCode::FORBIDDEN, "no proxy");
        for nobody in ["unknown", "for=unknown", "203.0.113.7, \u{e9}"] {
            assert_eq!(status("10.0.0.1", nobody).await, StatusCode::FORBIDDEN, "{nobody}");
        }
        let silent = get_from(&api, &key, Some("10.0.0.1"), None).await.status;
        assert_eq!(silent, StatusCode::FORBIDDEN, "the proxy itself is no client of the key");
    }
}
