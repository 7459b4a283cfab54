//! Clients that speak HTTP/2; apps are asked in HTTP/1.1 all the same.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Version, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use windlass_ingress::{External, Ingress, IngressConfig, Limits, Scheme};

use crate::{
    secure::{Client, Secure, empty, get, text},
    support::{App, PATIENCE, Peer, Proxy, config, value},
};

const SOON: Duration = Duration::from_millis(50);

/// More than all the buffers on the way hold.
const MUCH: usize = 100 * 1024 * 1024;

/// A body whose parts the test sends when it wants to.
struct Parts(mpsc::Receiver<Frame<Bytes>>);

impl Body for Parts {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}

async fn chunk(peer: &mut Peer) -> String {
    let length = usize::from_str_radix(peer.line().await.trim(), 16).unwrap();
    let chunk = peer.exactly(length).await;
    peer.line().await;
    chunk
}

async fn frame(body: &mut Incoming) -> Option<Frame<Bytes>> {
    timeout(PATIENCE, body.frame()).await.unwrap().map(Result::unwrap)
}

/// A request on its way to the app, and the app's end of it.
async fn ask(client: &mut Client, app: &App, uri: &str) -> (Peer, String) {
    client.get(uri);
    let mut at_app = app.accept().await;
    let head = at_app.head().await;
    (at_app, head)
}

#[tokio::test]
async fn a_request_reaches_the_app_in_http_1_1_and_says_that_it_came_by_tls() {
    let external = External { scheme: Scheme::Https, port: 8443 };
    let config = IngressConfig { external, ..config(Limits::default()) };
    let (proxy, app) = Secure::serve(Ingress::new(config)).await;
    let mut client = proxy.http2().await;
    let request = Request::get("https://app.localhost:8443/a%2Fb?c=d")
        .header("x-forwarded-for", "6.6.6.6")
        .body(empty());
    let response = client.send(request.unwrap());
    let mut at_app = app.accept().await;
    let head = at_app.head().await;
    assert!(head.starts_with("get /a%2fb?c=d http/1.1\r\n"), "{head}");
    assert_eq!(value(&head, "host"), Some("app.localhost:8443"));
    let forwarded = "for=127.0.0.1;proto=https;host=\"app.localhost:8443\"";
    assert_eq!(value(&head, "forwarded"), Some(forwarded));
    assert_eq!(value(&head, "x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(value(&head, "x-forwarded-host"), Some("app.localhost:8443"));
    assert_eq!(value(&head, "x-forwarded-proto"), Some("https"));
    assert_eq!(value(&head, "x-forwarded-port"), Some("8443"));
    for name in ["transfer-encoding", "content-length", "connection", "te"] {
        assert_eq!(value(&head, name), None, "{head}");
    }
    at_app
        .send(
            "HTTP/1.1 201 Created\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\
             X-Kept: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        )
        .await;
    let response = response.await.unwrap().unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::CREATED, Version::HTTP_2));
    assert_eq!(response.headers()["x-kept"], "1");
    assert!(response.headers().contains_key("x-request-id"));
    for name in ["connection", "keep-alive", "transfer-encoding"] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    assert_eq!(text(response).await, "ok");
}

#[tokio::test]
async fn bodies_and_trailers_stream_in_both_directions() {
    let (proxy, app) = Secure::start().await;
    let mut client = proxy.http2().await;
    let (parts, body) = mpsc::channel(1);
    let request = Request::post("https://app.localhost/")
        .header(header::TE, "trailers")
        .header(header::TRAILER, "x-sum")
        .body(Parts(body).boxed());
    let response = client.send(request.unwrap());
    let mut at_app = app.accept().await;
    let head = at_app.head().await;
    assert_eq!(value(&head, "transfer-encoding"), Some("chunked"));
    assert_eq!((value(&head, "te"), value(&head, "connection")), (Some("trailers"), Some("te")));
    let trailers = |sum: &'static str| {
        HeaderMap::from_iter([("x-sum".parse().unwrap(), sum.parse().unwrap())])
    };
    for part in ["one", "two"] {
        parts.send(Frame::data(part.into())).await.unwrap();
        assert_eq!(chunk(&mut at_app).await, part);
    }
    // The response begins before the request has ended.
    at_app.send("HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let mut body = response.await.unwrap().unwrap().into_body();
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        at_app.send(format!("{:x}\r\n{event}\r\n", event.len())).await;
        assert_eq!(frame(&mut body).await.unwrap().into_data().unwrap(), event);
    }
    parts.send(Frame::trailers(trailers("1"))).await.unwrap();
    drop(parts);
    assert_eq!(at_app.head().await, "0\r\nx-sum: 1\r\n\r\n");
    at_app.send("0\r\nX-Sum: 2\r\n\r\n").await;
    assert_eq!(frame(&mut body).await.unwrap().into_trailers().unwrap(), trailers("2"));
    assert!(frame(&mut body).await.is_none());
}

#[tokio::test]
async fn much_passes_in_both_directions_and_nothing_piles_up() {
    let (proxy, app) = Secure::start().await;
    let mut client = proxy.http2().await;
    let (parts, body) = mpsc::channel(1);
    let request = Request::post("https://app.localhost/").body(Parts(body).boxed()).unwrap();
    let response = client.send(request);
    let mut at_app = app.accept().await;
    at_app.head().await;
    // An app that does not read stops the client, and the other way round.
    let part = Bytes::from(vec![b'x'; 64 * 1024]);
    let mut sent = 0;
    while timeout(SOON * 10, parts.send(Frame::data(part.clone()))).await.is_ok() {
        sent += part.len();
        assert!(sent < MUCH, "all of it is somewhere on its way");
    }
    while 0 < sent {
        sent -= chunk(&mut at_app).await.len();
    }
    drop(parts);
    assert_eq!(chunk(&mut at_app).await, "");
    at_app.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await;
    let body = response.await.unwrap().unwrap().into_body();
    let mut taken = 0;
    loop {
        match at_app.try_send(&part, SOON * 10).await {
            0 => break,
            bytes => taken += bytes,
        }
        assert!(taken < MUCH, "all of it is somewhere on its way");
    }
    drop(at_app);
    let read = timeout(PATIENCE, body.collect()).await.unwrap().unwrap();
    assert_eq!(read.to_bytes().len(), taken);
}

#[tokio::test]
async fn a_body_that_an_app_breaks_off_does_not_look_complete() {
    let (proxy, app) = Secure::start().await;
    let mut client = proxy.http2().await;
    let response = client.get("https://app.localhost/");
    let mut at_app = app.accept().await;
    at_app.head().await;
    at_app.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n").await;
    let mut body = response.await.unwrap().unwrap().into_body();
    assert_eq!(frame(&mut body).await.unwrap().into_data().unwrap(), "part");
    drop(at_app);
    assert!(timeout(PATIENCE, body.collect()).await.unwrap().is_err());
}

#[tokio::test]
async fn a_length_that_is_known_is_passed_on() {
    let (proxy, app) = Secure::start().await;
    let mut client = proxy.http2().await;
    let body = Full::from("body").map_err(|never| match never {}).boxed();
    let response = client.send(Request::put("https://app.localhost/").body(body).unwrap());
    let mut at_app = app.accept().await;
    let head = at_app.head().await;
    assert_eq!(value(&head, "content-length"), Some("4"));
    assert_eq!(value(&head, "transfer-encoding"), None);
    assert_eq!(at_app.exactly(4).await, "body");
    at_app.respond("thanks").await;
    let response = response.await.unwrap().unwrap();
    assert_eq!(response.headers()["content-length"], "6");
    assert_eq!(text(response).await, "thanks");
}

#[tokio::test]
async fn many_requests_share_a_connection_and_none_waits_for_another() {
    let (proxy, app) = Secure::start().await;
    let mut client = proxy.http2().await;
    let slow = client.get("https://app.localhost/slow");
    let mut at_slow = app.accept().await;
    at_slow.head().await;
    for _ in 0..20 {
        let quick = client.get("https://app.localhost/quick");
        let mut at_quick = app.accept().await;
        at_quick.head().await;
        at_quick.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await;
        drop(at_quick);
        assert_eq!(quick.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    at_slow.respond("slow").await;
    assert_eq!(text(slow.await.unwrap().unwrap()).await, "slow");
}

#[tokio::test]
async fn cookies_that_the_client_has_split_reach_the_app_as_one_header() {
    let (proxy, app) = Secure::start().await;
    let mut client = proxy.http2().await;
    let request = Request::get("https://app.localhost/")
        .header(header::COOKIE, "a=1")
        .header(header::COOKIE, "b=2")
        .body(empty());
    client.send(request.unwrap());
    let head = app.accept().await.head().await;
    assert_eq!(head.matches("cookie: ").count(), 1, "{head}");
    assert_eq!(value(&head, "cookie"), Some("a=1; b=2"));
}

#[tokio::test]
async fn a_host_header_must_name_the_same_host() {
    let (proxy, app) = Secure::start().await;
    let with_host = |host: &str| {
        Request::get("https://app.localhost/").header(header::HOST, host).body(empty()).unwrap()
    };
    let mut client = proxy.http2().await;
    let response = client.send(with_host("other.localhost")).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(text(response).await.contains("invalid_host"));
    assert!(timeout(Duration::ZERO, app.listener.accept()).await.is_err());
    client.send(with_host("App.localhost:443"));
    let head = app.accept().await.head().await;
    assert_eq!(head.matches("\r\nhost: ").count(), 1, "{head}");
    assert_eq!(value(&head, "host"), Some("app.localhost"));
}

#[tokio::test]
async fn a_request_for_a_site_of_another_certificate_is_misdirected() {
    let (proxy, app) = Secure::start().await;
    proxy.route("other", &[&app]);
    let mut client = proxy.http2().await;
    let response = client.get("https://other.localhost/").await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    let shared = proxy.authority.issue(&["app.localhost", "other.localhost"]);
    proxy.certificates.set("app.localhost", &shared);
    let mut client = proxy.http2().await;
    let (_, head) = ask(&mut client, &app, "https://other.localhost/").await;
    assert_eq!(value(&head, "host"), Some("other.localhost"));
}

#[tokio::test]
async fn too_many_headers_and_too_long_targets_are_refused() {
    let limits = Limits { header_bytes: 8 * 1024, uri_bytes: 1024, ..Limits::default() };
    let (proxy, app) = Secure::with(limits).await;
    let long = "x".repeat(1024);
    let mut client = proxy.http2().await;
    let response = client.get(&format!("https://app.localhost/{long}")).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::URI_TOO_LONG);
    let mut request = get("https://app.localhost/");
    for _ in 0..9 {
        request.headers_mut().append("x-long", long.parse().unwrap());
    }
    // The client may know the limit, and then does not even send them.
    let refused = client.send(request).await.unwrap();
    assert!(refused.is_err() || refused.unwrap().status().as_u16() == 431);
    assert!(timeout(Duration::ZERO, app.listener.accept()).await.is_err());
}

#[tokio::test]
async fn a_request_beyond_the_limit_of_streams_waits_for_its_turn() {
    let (proxy, app) = Secure::with(Limits { streams: 1, ..Limits::default() }).await;
    let mut client = proxy.http2().await;
    let first = client.get("https://app.localhost/1");
    let mut at_app = app.accept().await;
    at_app.head().await;
    let second = client.get("https://app.localhost/2");
    tokio::time::sleep(SOON).await;
    assert!(timeout(Duration::ZERO, app.listener.accept()).await.is_err());
    at_app.respond("1").await;
    assert_eq!(text(first.await.unwrap().unwrap()).await, "1");
    assert!(at_app.head().await.starts_with("get /2 "));
    at_app.respond("2").await;
    assert_eq!(text(second.await.unwrap().unwrap()).await, "2");
}

#[tokio::test]
async fn an_app_learns_that_a_client_has_called_a_request_off() {
    let (proxy, app) = Secure::start().await;
    let mut client = proxy.http2().await;
    let response = client.get("https://app.localhost/");
    let mut at_app = app.accept().await;
    at_app.head().await;
    response.abort();
    assert_eq!(at_app.rest().await, b"");
    let (_, head) = ask(&mut client, &app, "https://app.localhost/next").await;
    assert!(head.starts_with("get /next"), "the connection goes on");
}

#[tokio::test]
async fn a_silent_connection_is_closed_but_not_one_whose_answer_takes_long() {
    let limits = Limits { header_read: SOON * 10, ..Limits::default() };
    let (proxy, app) = Secure::with(limits).await;
    let mut client = proxy.http2().await;
    let response = client.get("https://app.localhost/");
    let mut at_app = app.accept().await;
    at_app.head().await;
    tokio::time::sleep(SOON * 30).await;
    at_app.respond("at last").await;
    assert_eq!(text(response.await.unwrap().unwrap()).await, "at last");
    let _ = timeout(PATIENCE, client.connection).await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_stops_lets_streams_end_and_takes_no_new_ones() {
    let (proxy, app) = Secure::start().await;
    let address = proxy.address;
    let idle = proxy.http2().await;
    let mut client = proxy.http2().await;
    let response = client.get("https://app.localhost/");
    let mut at_app = app.accept().await;
    at_app.head().await;
    at_app.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
    let mut body = response.await.unwrap().unwrap().into_body();
    assert_eq!(frame(&mut body).await.unwrap().into_data().unwrap(), "first");
    let stopped = proxy.stop();
    timeout(PATIENCE, idle.connection).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "no new clients");
    let refused = client.get("https://app.localhost/new").await.unwrap();
    assert!(refused.is_err(), "no new streams");
    at_app.send("4\r\nlast\r\n0\r\n\r\n").await;
    let rest = timeout(PATIENCE, body.collect()).await.unwrap().unwrap();
    assert_eq!(rest.to_bytes(), "last");
    timeout(PATIENCE, client.connection).await.unwrap().unwrap().unwrap();
    timeout(PATIENCE, stopped).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_proxy_that_stops_does_not_wait_for_ever() {
    let (proxy, app) = Secure::with(Limits { shutdown: SOON, ..Limits::default() }).await;
    let mut client = proxy.http2().await;
    let response = client.get("https://app.localhost/");
    let mut at_app = app.accept().await;
    at_app.head().await;
    timeout(PATIENCE, proxy.stop()).await.unwrap().unwrap();
    assert!(response.await.unwrap().is_err());
    assert_eq!(at_app.rest().await, b"");
}

#[tokio::test]
async fn a_listener_without_tls_speaks_http_1_alone() {
    let (proxy, _app) = Proxy::with_app().await;
    let answer = proxy.answer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(!answer.contains("200"), "{answer}");
}
