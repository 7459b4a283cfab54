//! HTTP/1.1 over TLS, and the handshakes before.

use std::{net::SocketAddr, time::Duration};

use rustls::{
    AlertDescription,
    pki_types::CertificateDer,
    version::{TLS12, TLS13},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::client::TlsStream;
use windlass_ingress::Limits;

use crate::{
    secure::{Hello, Secure, alert},
    support::{App, PATIENCE, Peer, value},
};

const SOON: Duration = Duration::from_millis(50);

fn first_certificate(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

/// A client that connects and says nothing.
async fn silent(address: SocketAddr) -> Peer {
    Peer::new(TcpStream::connect(address).await.unwrap())
}

#[tokio::test]
async fn an_app_is_served_in_both_versions_of_tls_and_learns_that_it_is() {
    let (proxy, app) = Secure::start().await;
    for version in [&TLS12, &TLS13] {
        let hello = Hello { version, ..Hello::to("app.localhost", &[]) };
        let stream = proxy.connect(hello).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        let mut client = Peer::over(stream);
        client.get("/").await;
        let mut at_app = app.accept().await;
        let head = at_app.head().await;
        assert_eq!(value(&head, "x-forwarded-proto"), Some("https"));
        assert_eq!(value(&head, "x-forwarded-port"), Some("443"));
        assert_eq!(
            value(&head, "forwarded"),
            Some("for=127.0.0.1;proto=https;host=\"app.localhost\"")
        );
        // Ends the connection to the app as well.
        at_app.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await;
        let head = client.head().await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(value(&head, "strict-transport-security"), None, "that is up to the app");
        assert_eq!(client.exactly(2).await, "ok");
    }
}

#[tokio::test]
async fn clients_choose_the_version_of_http() {
    let (proxy, _app) = Secure::start().await;
    let agreed = async |alpn: &[&str]| {
        let stream = proxy.connect(Hello::to("app.localhost", alpn)).await?;
        let protocol = stream.get_ref().1.alpn_protocol().unwrap_or_default().to_vec();
        Ok::<_, std::io::Error>(String::from_utf8(protocol).unwrap())
    };
    assert_eq!(agreed(&["h2", "http/1.1"]).await.unwrap(), "h2");
    assert_eq!(agreed(&["http/1.1"]).await.unwrap(), "http/1.1");
    assert_eq!(agreed(&[]).await.unwrap(), "");
    let refused = proxy.connect(Hello::to("app.localhost", &["spdy/1"])).await;
    assert_eq!(alert(refused), AlertDescription::NoApplicationProtocol);
}

#[tokio::test]
async fn each_name_gets_its_certificate_and_a_wildcard_stands_for_one_label() {
    let (proxy, _app) = Secure::start().await;
    proxy.certificates.set("*.APPS.example.", &proxy.authority.issue(&["*.apps.example"]));
    proxy.certificates.set("a.apps.example", &proxy.authority.issue(&["a.apps.example"]));
    let at = async |name: &str| proxy.connect(Hello::to(name, &[])).await;
    let own = first_certificate(&at("a.apps.example").await.unwrap());
    let shared = first_certificate(&at("b.apps.example").await.unwrap());
    assert_ne!(own, shared);
    assert_eq!(first_certificate(&at("Shop.apps.example").await.unwrap()), shared);
    for name in ["apps.example", "b.a.apps.example", "a.apps.example.evil"] {
        assert_eq!(alert(at(name).await), AlertDescription::UnrecognisedName, "{name}");
    }
    proxy.certificates.remove("A.apps.example");
    assert_eq!(first_certificate(&at("a.apps.example").await.unwrap()), shared);
    proxy.certificates.remove("*.apps.example");
    assert_eq!(alert(at("a.apps.example").await), AlertDescription::UnrecognisedName);
}

#[tokio::test]
async fn the_default_certificate_is_for_clients_that_name_no_host() {
    let (proxy, app) = Secure::start().await;
    app.answer_always("ok");
    let nameless = Hello { says_name: false, ..Hello::to("app.localhost", &[]) };
    for version in [&TLS12, &TLS13] {
        let refused = proxy.connect(Hello { version, ..nameless }).await;
        assert_eq!(alert(refused), AlertDescription::UnrecognisedName);
    }
    proxy.certificates.set_default(&proxy.authority.issue(&["app.localhost"]));
    let mut client = Peer::over(proxy.connect(nameless).await.unwrap());
    client.get("/").await;
    assert!(client.head().await.starts_with("http/1.1 200"));
    let unknown = proxy.connect(Hello::to("other.localhost", &[])).await;
    assert_eq!(alert(unknown), AlertDescription::UnrecognisedName);
}

#[tokio::test]
async fn a_certificate_is_replaced_while_connections_go_on() {
    let (proxy, app) = Secure::start().await;
    app.answer_always("ok");
    let before = proxy.connect(Hello::to("app.localhost", &[])).await.unwrap();
    let old = first_certificate(&before);
    proxy.certificates.set("app.localhost", &proxy.authority.issue(&["app.localhost"]));
    let after = proxy.connect(Hello::to("app.localhost", &[])).await.unwrap();
    assert_ne!(first_certificate(&after), old);
    for stream in [before, after] {
        let mut client = Peer::over(stream);
        client.get("/").await;
        assert!(client.head().await.starts_with("http/1.1 200"));
    }
}

#[tokio::test]
async fn a_request_for_a_site_of_another_certificate_is_misdirected() {
    let (proxy, app) = Secure::start().await;
    app.answer_always("ok");
    let shared = proxy.authority.issue(&["app.localhost", "*.shops.example"]);
    proxy.certificates.set("app.localhost", &shared);
    let aliases = [("a.shops.example".to_owned(), "app".to_owned())];
    proxy.ingress.routes().set_aliases(aliases);
    let mut client = proxy.http1("app.localhost").await;
    for (host, status) in [
        ("app.localhost", "200"),
        ("App.Localhost.:443", "200"),
        ("a.shops.example", "200"),
        ("other.localhost", "421"),
        ("b.a.shops.example", "421"),
        ("127.0.0.1", "421"),
        ("[::1]:443", "421"),
    ] {
        client.send(format!("HEAD / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        let head = client.head().await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{host}: {head}");
    }
}

#[tokio::test]
async fn an_upgrade_becomes_a_tunnel_over_tls() {
    let (proxy, app) = Secure::start().await;
    let mut client = proxy.http1("app.localhost").await;
    client
        .send(
            "GET /chat HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n\r\nearly",
        )
        .await;
    let mut at_app = app.accept().await;
    assert_eq!(value(&at_app.head().await, "upgrade"), Some("websocket"));
    at_app
        .send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )
        .await;
    assert!(client.head().await.starts_with("http/1.1 101"));
    assert_eq!(at_app.exactly(5).await, "early");
    at_app.send("pong").await;
    assert_eq!(client.exactly(4).await, "pong");
    client.finish_sending().await;
    assert_eq!(at_app.rest().await, b"");
    drop(at_app);
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn a_client_that_never_ends_its_handshake_holds_up_nobody() {
    let (proxy, app) = Secure::start().await;
    app.answer_always("ok");
    let _silent = silent(proxy.address).await;
    let mut half = silent(proxy.address).await;
    half.send([22, 3, 1, 2, 0, 1]).await;
    let mut client = proxy.http1("app.localhost").await;
    client.get("/").await;
    assert!(client.head().await.starts_with("http/1.1 200"));
    // Nor the end of the server.
    drop(client);
    timeout(PATIENCE, proxy.stop()).await.unwrap().unwrap();
    assert_eq!(half.rest().await, b"");
}

#[tokio::test]
async fn a_client_that_takes_too_long_for_its_handshake_is_disconnected() {
    let (proxy, _app) = Secure::with(Limits { handshake: SOON, ..Limits::default() }).await;
    assert_eq!(silent(proxy.address).await.rest().await, b"");
    let mut half = silent(proxy.address).await;
    half.send([22, 3, 1, 2, 0, 1]).await;
    assert_eq!(half.rest().await, b"");
}

#[tokio::test]
async fn handshakes_take_places_and_a_client_too_many_is_turned_away() {
    let (proxy, _app) = Secure::with(Limits { connections: 1, ..Limits::default() }).await;
    let first = silent(proxy.address).await;
    assert_eq!(silent(proxy.address).await.rest().await, b"");
    drop(first);
    // The place is free once the proxy has noticed.
    while proxy.connect(Hello::to("app.localhost", &[])).await.is_err() {}
}

#[tokio::test]
async fn without_tls_nothing_is_said() {
    let (proxy, app) = Secure::start().await;
    let mut client = silent(proxy.address).await;
    client.get("/").await;
    let answer = client.rest().await;
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    assert!(timeout(Duration::ZERO, app.listener.accept()).await.is_err());
}

#[tokio::test]
async fn a_silent_client_is_disconnected_after_its_handshake_too() {
    let (proxy, _app) = Secure::with(Limits { header_read: SOON, ..Limits::default() }).await;
    assert_eq!(proxy.http1("app.localhost").await.rest().await, b"");
}

#[tokio::test]
async fn hosts_of_other_apps_lead_nowhere_else() {
    let (proxy, app) = Secure::start().await;
    let other = App::bind().await;
    proxy.route("other", &[&other]);
    app.answer_always("app");
    let mut client = proxy.http1("app.localhost").await;
    client.send("GET / HTTP/1.1\r\nHost: other.localhost\r\nConnection: close\r\n\r\n").await;
    let answer = String::from_utf8(client.rest().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 421") && answer.contains("misdirected_request"));
    assert!(timeout(Duration::ZERO, other.listener.accept()).await.is_err());
}
