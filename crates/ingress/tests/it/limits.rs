//! What a client and an app may take, and how the proxy stops.

use std::time::Duration;

use tokio::net::TcpStream;
use windlass_ingress::Limits;

use crate::support::{App, Proxy};

const SOON: Duration = Duration::from_millis(50);

async fn with_app(limits: Limits) -> (Proxy, App) {
    let (proxy, app) = (Proxy::with(limits).await, App::bind().await);
    proxy.route("app", &[&app]);
    (proxy, app)
}

#[tokio::test]
async fn a_client_that_never_finishes_its_headers_is_disconnected() {
    let proxy = Proxy::with(Limits { header_read: SOON, ..Limits::default() }).await;
    for start in ["", "GET / HTTP/1.1\r\nHost: app"] {
        assert_eq!(proxy.answer(start).await, "");
    }
}

#[tokio::test]
async fn an_app_that_does_not_respond_is_a_504() {
    let (proxy, app) = with_app(Limits { response: SOON, ..Limits::default() }).await;
    let mut client = proxy.client().await;
    client.get("/").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    assert!(client.head().await.starts_with("http/1.1 504"));
    assert_eq!(at_app.rest().await, b"", "the app is told that nobody waits any more");
}

#[tokio::test]
async fn a_request_may_take_longer_than_the_response_as_long_as_it_moves() {
    let (proxy, app) =
        with_app(Limits { response: Duration::from_millis(400), ..Limits::default() }).await;
    let mut client = proxy.client().await;
    client.send("POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 10\r\n\r\n").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        client.send("x").await;
        at_app.exactly(1).await;
    }
    at_app.respond("ok").await;
    assert!(client.head().await.starts_with("http/1.1 200"));
}

#[tokio::test]
async fn a_client_too_many_is_turned_away() {
    let (proxy, app) = with_app(Limits { connections: 1, ..Limits::default() }).await;
    app.answer_always("ok");
    let mut first = proxy.client().await;
    first.get("/").await;
    first.head().await;
    let answer = proxy.answer("").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("too_many_connections"));
    drop(first);
    // The place is free once the proxy has noticed.
    loop {
        let mut second = proxy.client().await;
        second.get("/").await;
        if second.head().await.starts_with("http/1.1 200") {
            break;
        }
    }
}

#[tokio::test]
async fn a_proxy_that_stops_finishes_what_is_on_its_way() {
    let (proxy, app) = Proxy::with_app().await;
    let address = proxy.address;
    let mut idle = proxy.client().await;
    let mut client = proxy.client().await;
    client.get("/").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    let stopped = proxy.stop();
    assert_eq!(idle.rest().await, b"", "nobody waits for a silent client");
    assert!(TcpStream::connect(address).await.is_err(), "no new clients");
    at_app.respond("last words").await;
    assert!(client.head().await.starts_with("http/1.1 200"));
    assert_eq!(client.rest().await, b"last words");
    stopped.await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_stops_does_not_wait_for_ever() {
    let (proxy, app) = with_app(Limits { shutdown: SOON, ..Limits::default() }).await;
    let mut client = proxy.client().await;
    client.get("/").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    proxy.stop().await.unwrap();
    assert_eq!(client.rest().await, b"");
    assert_eq!(at_app.rest().await, b"");
}
