//! What well-behaved clients of HTTP/2 never send, frame by frame.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::client::TlsStream;
use windlass_ingress::Limits;

use crate::{
    secure::{Hello, Secure},
    support::{PATIENCE, value},
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `SETTINGS_ENABLE_CONNECT_PROTOCOL`, which would allow WebSocket over HTTP/2.
const CONNECT_PROTOCOL: u16 = 8;

const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "https"), (":authority", "app.localhost"), (":path", "/")];

struct Raw(TlsStream<TcpStream>);

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Raw {
    async fn connect(proxy: &Secure) -> Self {
        let mut stream = proxy.connect(Hello::to("app.localhost", &["h2"])).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut raw = Self(stream);
        raw.send(SETTINGS, 0, 0, &[]).await;
        raw
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.0.write_all(&frame(kind, flags, stream, payload)).await.unwrap();
        self.0.flush().await.unwrap();
    }

    async fn headers(&mut self, flags: u8, stream: u32, headers: &[(&str, &str)]) {
        self.send(HEADERS, flags | END_HEADERS, stream, &block(headers)).await;
    }

    /// The next frame, unless the connection ends.
    async fn next(&mut self) -> Option<Frame> {
        let read = async {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let [a, b, c, kind, flags, stream @ ..] = head;
            let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap()];
            self.0.read_exact(&mut payload).await.ok()?;
            Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
        };
        timeout(PATIENCE, read).await.unwrap()
    }

    /// The next frame of this stream, unless the connection ends.
    async fn next_of(&mut self, stream: u32) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.stream == stream {
                return Some(frame);
            }
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Headers, none of them compressed.
fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.as_bytes());
        }
    }
    block
}

/// Those of a request, with some of them replaced or added.
fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut headers = GET.to_vec();
    for &change in changes {
        match headers.iter_mut().find(|(name, _)| *name == change.0) {
            Some(header) if change.0.starts_with(':') => *header = change,
            Some(_) | None => headers.push(change),
        }
    }
    headers
}

#[tokio::test]
async fn what_http_2_forbids_does_not_reach_the_app() {
    let (proxy, app) = Secure::start().await;
    for changes in [
        &[("connection", "keep-alive")][..],
        &[("connection", "te"), ("te", "trailers")],
        &[("keep-alive", "timeout=5")],
        &[("proxy-connection", "keep-alive")],
        &[("transfer-encoding", "chunked")],
        &[("upgrade", "websocket")],
        &[("te", "gzip")],
        &[("te", "trailers, deflate")],
        &[(":path", "no-slash")],
        &[(":path", "http://other.localhost/")],
        &[(":path", "/a b")],
        &[(":path", "/a\r\nx: y")],
        &[(":authority", "a b")],
        &[("x", "a\r\nb: c")],
        &[("X-Upper", "1")],
        &[("x y", "1")],
        &[("content-length", "1"), ("content-length", "2")],
        &[("content-length", "+1")],
        &[(":method", "CONNECT"), (":protocol", "websocket")],
    ] {
        let mut client = Raw::connect(&proxy).await;
        client.headers(END_STREAM, 1, &with(changes)).await;
        // Either the request is reset, or the connection ends.
        let answer = client.next_of(1).await;
        assert!(answer.is_none_or(|answer| answer.kind == RST_STREAM), "{changes:?}");
        assert!(timeout(Duration::ZERO, app.listener.accept()).await.is_err(), "{changes:?}");
    }
}

#[tokio::test]
async fn the_length_of_a_body_is_stated_once_or_not_at_all() {
    let (proxy, app) = Secure::start().await;
    for (lengths, stated) in [
        (&[("content-length", "1"), ("content-length", "1")][..], Some("1")),
        (&[("content-length", "01")], Some("1")),
    ] {
        let mut client = Raw::connect(&proxy).await;
        client.headers(0, 1, &with(lengths)).await;
        client.send(DATA, END_STREAM, 1, b"x").await;
        let mut at_app = app.accept().await;
        let head = at_app.head().await;
        assert!(head.matches("content-length: ").count() <= 1, "{head}");
        assert_eq!(value(&head, "content-length"), stated, "{lengths:?}: {head}");
        assert_eq!(at_app.exactly(1).await, "x");
    }
    let mut client = Raw::connect(&proxy).await;
    client.headers(END_STREAM, 1, &with(&[("content-length", "")])).await;
    let head = app.accept().await.head().await;
    assert!(!head.contains("content-length: \r\n"), "{head}");
    let mut client = Raw::connect(&proxy).await;
    client.headers(0, 1, &with(&[("content-length", "1")])).await;
    client.send(DATA, END_STREAM, 1, b"xy").await;
    assert_eq!(client.next_of(1).await.unwrap().kind, RST_STREAM);
}

#[tokio::test]
async fn websocket_over_http_2_is_not_offered() {
    let (proxy, _app) = Secure::start().await;
    let mut client = Raw::connect(&proxy).await;
    let settings = loop {
        let frame = client.next().await.unwrap();
        if frame.kind == SETTINGS && frame.flags == 0 {
            break frame.payload;
        }
    };
    let settings =
        settings.chunks_exact(6).map(|setting| u16::from_be_bytes([setting[0], setting[1]]));
    assert!(settings.into_iter().all(|setting| setting != CONNECT_PROTOCOL));
}

#[tokio::test]
async fn a_client_that_leaves_pings_unanswered_is_disconnected_though_it_waits_for_an_answer() {
    let limits = Limits { header_read: Duration::from_millis(50), ..Limits::default() };
    let (proxy, app) = Secure::with(limits).await;
    let mut client = Raw::connect(&proxy).await;
    client.headers(END_STREAM, 1, &GET).await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    let mut pings = 0;
    while let Some(frame) = client.next().await {
        pings += usize::from(frame.kind == PING);
    }
    assert!(0 < pings);
    assert_eq!(at_app.rest().await, b"", "the app is told");
}

#[tokio::test]
async fn a_client_that_leaves_the_goodbye_unanswered_is_disconnected() {
    let limits = Limits { header_read: Duration::from_millis(50), ..Limits::default() };
    let (proxy, _app) = Secure::with(limits).await;
    let mut client = Raw::connect(&proxy).await;
    while client.next().await.is_some() {}
    let mut mute = proxy.connect(Hello::to("app.localhost", &["h2"])).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, mute.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let (proxy, app) = Secure::start().await;
    app.answer_always("ok");
    let mut client = Raw::connect(&proxy).await;
    let flood = async {
        for stream in (1..20_001).step_by(2) {
            let mut frames = frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&GET));
            frames.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
            if client.0.write_all(&frames).await.is_err() {
                return;
            }
        }
        let _ = client.0.flush().await;
        while client.next().await.is_some() {}
    };
    timeout(PATIENCE, flood).await.expect("the flood goes on");
}

#[tokio::test]
async fn an_answer_before_the_end_of_a_request_arrives_whole() {
    let (proxy, app) = Secure::start().await;
    let mut client = Raw::connect(&proxy).await;
    client.headers(0, 1, &with(&[(":method", "PUT"), ("content-length", "3000000")])).await;
    client.send(DATA, 0, 1, &[b'x'; 16_384]).await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    at_app.skip(16_384).await;
    at_app.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno").await;
    drop(at_app);
    let mut body = Vec::new();
    let reset = loop {
        let frame = client.next_of(1).await.unwrap();
        match frame.kind {
            DATA => body.extend(frame.payload),
            RST_STREAM => break frame.payload,
            _ => {}
        }
    };
    assert_eq!(body, b"no");
    assert_eq!(reset, [0; 4], "the client is told to stop, and that nothing is wrong");
}
