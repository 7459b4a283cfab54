//! WebSocket and other upgrades.

use std::time::Duration;

use windlass_ingress::{Drained, Limits};

use crate::support::{App, Peer, Proxy, value};

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: app.localhost\r\nConnection: keep-alive, Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n\r\n";
const AGREE: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// Both ends of a tunnel.
async fn tunnel(proxy: &Proxy, app: &App) -> (Peer, Peer) {
    let mut client = proxy.client().await;
    client.send(ASK).await;
    let mut at_app = app.accept().await;
    let head = at_app.head().await;
    assert_eq!(value(&head, "upgrade"), Some("websocket"), "{head}");
    assert_eq!(value(&head, "connection"), Some("upgrade"), "{head}");
    at_app.send(AGREE).await;
    let head = client.head().await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert_eq!(value(&head, "upgrade"), Some("websocket"), "{head}");
    assert_eq!(value(&head, "connection"), Some("upgrade"), "{head}");
    (client, at_app)
}

#[tokio::test]
async fn a_tunnel_carries_bytes_in_both_directions_until_both_sides_are_done() {
    let (proxy, app) = Proxy::with_app().await;
    let (mut client, mut at_app) = tunnel(&proxy, &app).await;
    client.send("ping").await;
    assert_eq!(at_app.exactly(4).await, "ping");
    at_app.send("pong").await;
    assert_eq!(client.exactly(4).await, "pong");
    client.finish_sending().await;
    assert_eq!(at_app.rest().await, b"");
    at_app.send("bye").await;
    drop(at_app);
    assert_eq!(client.rest().await, b"bye");
}

#[tokio::test]
async fn what_follows_the_handshake_at_once_is_not_lost() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.send(ASK).await;
    client.send("early").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    at_app.send(format!("{AGREE}hello")).await;
    client.head().await;
    assert_eq!(client.exactly(5).await, "hello");
    assert_eq!(at_app.exactly(5).await, "early");
}

#[tokio::test]
async fn an_app_may_refuse_an_upgrade() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.send(ASK).await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    at_app.respond("no").await;
    assert!(client.head().await.starts_with("http/1.1 200"));
    assert_eq!(client.exactly(2).await, "no");
    client.get("/plain").await;
    assert!(at_app.head().await.starts_with("get /plain"), "both connections are kept");
}

#[tokio::test]
async fn an_upgrade_to_http_2_is_not_passed_on() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client
        .send(
            "GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n\
             Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        )
        .await;
    let head = app.accept().await.head().await;
    for name in ["upgrade", "connection", "http2-settings"] {
        assert_eq!(value(&head, name), None, "{head}");
    }
}

#[tokio::test]
async fn a_silent_tunnel_is_closed() {
    let limits = Limits { tunnel_idle: Duration::from_millis(50), ..Limits::default() };
    let (proxy, app) = (Proxy::with(limits).await, App::bind().await);
    proxy.route("app", &[&app]);
    let (mut client, mut at_app) = tunnel(&proxy, &app).await;
    assert_eq!(client.rest().await, b"");
    assert_eq!(at_app.rest().await, b"");
}

#[tokio::test]
async fn draining_waits_for_tunnels_and_closes_them_when_the_time_is_up() {
    let (proxy, app) = Proxy::with_app().await;
    let (mut client, mut at_app) = tunnel(&proxy, &app).await;
    proxy.ingress.routes().remove("app");
    let drained = proxy.ingress.drain(app.address, Duration::from_millis(50)).await;
    assert_eq!(drained, Drained::TimedOut { left: 1 });
    assert_eq!(client.rest().await, b"");
    assert_eq!(at_app.rest().await, b"");
    assert_eq!(proxy.ingress.drain(app.address, crate::support::PATIENCE).await, Drained::Idle);
}

#[tokio::test]
async fn a_server_that_stops_closes_its_tunnels_in_the_end() {
    let limits = Limits { shutdown: Duration::from_millis(50), ..Limits::default() };
    let (proxy, app) = (Proxy::with(limits).await, App::bind().await);
    proxy.route("app", &[&app]);
    let (mut client, mut at_app) = tunnel(&proxy, &app).await;
    let stopped = proxy.stop();
    assert_eq!(client.rest().await, b"");
    assert_eq!(at_app.rest().await, b"");
    stopped.await.unwrap();
}
