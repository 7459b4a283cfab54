//! Headers on their way through.

use crate::support::{Proxy, value};

#[tokio::test]
async fn the_app_learns_about_the_client_from_the_proxy_alone() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client
        .send(
            "GET / HTTP/1.1\r\nHost: App.localhost:8081\r\nForwarded: for=6.6.6.6\r\n\
             X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX_Forwarded_For: 6.6.6.6\r\n\r\n",
        )
        .await;
    let head = app.accept().await.head().await;
    assert_eq!(value(&head, "host"), Some("app.localhost:8081"));
    let forwarded = "for=127.0.0.1;proto=http;host=\"app.localhost:8081\"";
    assert_eq!(value(&head, "forwarded"), Some(forwarded));
    assert_eq!(value(&head, "x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(value(&head, "x-forwarded-host"), Some("app.localhost:8081"));
    assert_eq!(value(&head, "x-forwarded-proto"), Some("http"));
    assert_eq!(value(&head, "x-forwarded-port"), Some("8081"));
    assert!(!head.contains("6.6.6.6"), "{head}");
}

#[tokio::test]
async fn hop_by_hop_headers_end_at_the_proxy_in_both_directions() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client
        .send(
            "GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: keep-alive, X-Mine\r\n\
             Keep-Alive: timeout=9\r\nX-Mine: 1\r\nX-Kept: 1\r\nProxy-Authorization: Basic eA==\r\n\r\n",
        )
        .await;
    let mut at_app = app.accept().await;
    let head = at_app.head().await;
    assert_eq!(value(&head, "x-kept"), Some("1"));
    for name in ["connection", "keep-alive", "x-mine", "proxy-authorization"] {
        assert_eq!(value(&head, name), None, "{head}");
    }
    at_app
        .send(
            "HTTP/1.1 200 OK\r\nConnection: close, X-Mine\r\nKeep-Alive: timeout=9\r\nX-Mine: 1\r\n\
             Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
        )
        .await;
    let head = client.head().await;
    assert_eq!(head.matches("set-cookie: ").count(), 2, "{head}");
    for name in ["connection", "keep-alive", "x-mine"] {
        assert_eq!(value(&head, name), None, "{head}");
    }
    assert_eq!(client.exactly(2).await, "ok");
    // What the app said about its connection says nothing about the client's.
    client.get("/again").await;
    assert!(app.accept().await.head().await.starts_with("get /again"));
}

#[tokio::test]
async fn a_request_has_one_name_for_the_app_and_the_client() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.get("/").await;
    let mut at_app = app.accept().await;
    let named = at_app.head().await;
    let id = value(&named, "x-request-id").unwrap();
    assert_eq!(id.len(), 32);
    at_app.respond("").await;
    assert_eq!(value(&client.head().await, "x-request-id"), Some(id));
}

#[tokio::test]
async fn a_response_to_head_keeps_its_length() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.send("HEAD / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    at_app.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n").await;
    assert_eq!(value(&client.head().await, "content-length"), Some("1234"));
    client.get("/next").await;
    assert!(at_app.head().await.starts_with("get /next"), "the connection is kept");
}

#[tokio::test]
async fn a_client_of_http_1_0_is_served() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.send("GET / HTTP/1.0\r\nHost: app.localhost\r\n\r\n").await;
    let mut at_app = app.accept().await;
    assert!(at_app.head().await.starts_with("get / http/1.1"));
    at_app.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n").await;
    let answer = String::from_utf8(client.rest().await).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("\r\n\r\nok"), "{answer}");
}
