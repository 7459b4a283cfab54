//! No two readers may understand a request differently.

use std::time::Duration;

use tokio::time::timeout;
use windlass_ingress::Limits;

use crate::support::{App, PATIENCE, Peer, Proxy, value};

const LINE: &str = "POST / HTTP/1.1\r\nHost: app.localhost\r\n";

/// Sends a request that must be refused without the app hearing of it.
async fn refused(proxy: &Proxy, app: &App, request: &str, status: &str) {
    let mut client = proxy.client().await;
    client.send(request).await;
    let answer = timeout(PATIENCE, client.next_head()).await;
    let answer = answer.unwrap_or_else(|_| panic!("{request:?}: no answer")).unwrap_or_default();
    assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{request:?}: {answer:?}");
    let heard = timeout(Duration::ZERO, app.listener.accept()).await;
    assert!(heard.is_err(), "{request:?} reached the app");
}

#[tokio::test]
async fn what_is_ambiguous_is_refused() {
    let (proxy, app) = Proxy::with_app().await;
    for headers in [
        "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "Content-Length: 1, 2\r\n\r\nab",
        "Content-Length: +1\r\n\r\na",
        "Content-Length: -1\r\n\r\na",
        "Content-Length: 0x1\r\n\r\na",
        "Content-Length: 99999999999999999999\r\n\r\na",
        "Content-Length : 1\r\n\r\na",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na",
        "X-Folded: a\r\n b\r\n\r\n",
        "X-Nul: a\0b\r\n\r\n",
        "X-Return: a\rb\r\n\r\n",
        ": nameless\r\n\r\n",
        "X Space: a\r\n\r\n",
        "Host: other.localhost\r\n\r\n",
    ] {
        refused(&proxy, &app, &format!("{LINE}{headers}"), "400").await;
    }
    for request in [
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@app.localhost\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: app.localhost/x\r\nConnection: close\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: app.localhost\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: app.localhost\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: app.localhost\r\n\r\n",
        "GET /\u{1} HTTP/1.1\r\nHost: app.localhost\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        refused(&proxy, &app, request, "400").await;
    }
}

/// The rest of what the app hears on a connection after which it says nothing more.
async fn heard(mut at_app: Peer) -> String {
    at_app.respond("").await;
    String::from_utf8(at_app.rest().await).unwrap()
}

#[tokio::test]
async fn a_length_beside_chunks_is_dropped_and_the_connection_ends_with_the_request() {
    let (proxy, app) = Proxy::with_app().await;
    for framing in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n",
    ] {
        let mut client = proxy.client().await;
        let smuggled = "GET /smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
        client.send(format!("{LINE}{framing}0\r\n\r\n{smuggled}")).await;
        let mut at_app = app.accept().await;
        let head = at_app.head().await;
        assert_eq!(value(&head, "content-length"), None, "{head}");
        assert_eq!(value(&head, "transfer-encoding"), Some("chunked"), "{head}");
        at_app.respond("").await;
        assert!(client.head().await.starts_with("http/1.1 200"));
        assert_eq!(client.rest().await, b"", "the client's connection ends");
        proxy.ingress.routes().remove("app");
        let more = String::from_utf8(at_app.rest().await).unwrap();
        assert!(!more.contains("smuggled"), "{more}");
        proxy.route("app", &[&app]);
    }
}

#[tokio::test]
async fn equal_lengths_become_one_and_bare_line_feeds_become_line_ends() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client
        .send("POST / HTTP/1.1\nHost: app.localhost\nContent-Length: 1\nContent-Length: 1\nX-A: b\n\na")
        .await;
    let mut at_app = app.accept().await;
    let head = at_app.head().await;
    assert_eq!(head.matches("content-length").count(), 1, "{head}");
    assert_eq!(head.matches('\n').count(), head.matches("\r\n").count(), "{head:?}");
    assert_eq!(at_app.exactly(1).await, "a");
    proxy.ingress.routes().remove("app");
    assert_eq!(heard(at_app).await, "");
}

#[tokio::test]
async fn an_invalid_chunk_breaks_the_request_off() {
    let (proxy, app) = Proxy::with_app().await;
    for chunk in ["x\r\n", "-1\r\na\r\n", "ffffffffffffffffff\r\n", "1\r\nab\r\n"] {
        let mut client = proxy.client().await;
        client.send(format!("{LINE}Transfer-Encoding: chunked\r\n\r\n{chunk}")).await;
        let mut at_app = app.accept().await;
        let heard = String::from_utf8(at_app.rest().await).unwrap();
        assert!(!heard.ends_with("0\r\n\r\n"), "{chunk:?}: {heard:?}");
        let answer = String::from_utf8(client.rest().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_body"), "{answer}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let limits = Limits { header_bytes: 8 * 1024, uri_bytes: 1024, ..Limits::default() };
    let (proxy, app) = (Proxy::with(limits).await, App::bind().await);
    proxy.route("app", &[&app]);
    let long = "x".repeat(1024);
    let end = "HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n";
    refused(&proxy, &app, &format!("GET /{long} {end}\r\n"), "414").await;
    refused(&proxy, &app, &format!("GET / {end}X: {}\r\n\r\n", long.repeat(9)), "431").await;
    refused(&proxy, &app, &format!("GET / {end}{}\r\n", "X: y\r\n".repeat(200)), "431").await;
    let mut client = proxy.client().await;
    client.send(format!("GET /{} {end}\r\n", &long[1..])).await;
    assert!(app.accept().await.head().await.starts_with("get /xxx"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.get("/1").await;
    client.get("/2").await;
    let mut at_app = app.accept().await;
    for path in ["/1", "/2"] {
        assert!(at_app.head().await.starts_with(&format!("get {path} ")));
        at_app.respond(path).await;
        client.head().await;
        assert_eq!(client.exactly(2).await, path);
    }
    drop(client);
    assert!(timeout(PATIENCE, proxy.stop()).await.unwrap().is_ok());
}
