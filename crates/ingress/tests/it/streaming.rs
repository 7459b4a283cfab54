//! Bodies flow through in both directions, and nothing piles up.

use std::time::Duration;

use crate::support::{Peer, Proxy, value};

const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// More than all the sockets on the way hold.
const MUCH: usize = 100 * 1024 * 1024;

async fn chunk(peer: &mut Peer) -> String {
    let length = usize::from_str_radix(peer.line().await.trim(), 16).unwrap();
    let chunk = peer.exactly(length).await;
    peer.line().await;
    chunk
}

#[tokio::test]
async fn events_arrive_when_they_are_sent() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.get("/events").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    at_app.send(STREAM).await;
    assert_eq!(value(&client.head().await, "content-type"), Some("text/event-stream"));
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        at_app.send(format!("{:x}\r\n{event}\r\n", event.len())).await;
        assert_eq!(chunk(&mut client).await, event);
    }
    at_app.send("0\r\n\r\n").await;
    assert_eq!(chunk(&mut client).await, "");
}

#[tokio::test]
async fn a_request_arrives_when_it_is_sent_even_a_get_with_a_body() {
    let (proxy, app) = Proxy::with_app().await;
    for method in ["POST", "GET"] {
        let mut client = proxy.client().await;
        let head = "HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.send(format!("{method} / {head}")).await;
        let mut at_app = app.accept().await;
        assert_eq!(value(&at_app.head().await, "transfer-encoding"), Some("chunked"));
        for part in ["one", "two"] {
            client.send(format!("3\r\n{part}\r\n")).await;
            assert_eq!(chunk(&mut at_app).await, part);
        }
        client.send("0\r\n\r\n").await;
        assert_eq!(chunk(&mut at_app).await, "");
    }
}

#[tokio::test]
async fn trailers_pass_in_both_directions() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client
        .send(
            "POST / HTTP/1.1\r\nHost: app.localhost\r\nTE: trailers\r\nTrailer: x-sum\r\n\
             Transfer-Encoding: chunked\r\n\r\n2\r\nup\r\n0\r\nx-sum: 1\r\n\r\n",
        )
        .await;
    let mut at_app = app.accept().await;
    let head = at_app.head().await;
    assert_eq!((value(&head, "te"), value(&head, "connection")), (Some("trailers"), Some("te")));
    assert_eq!(chunk(&mut at_app).await, "up");
    assert_eq!(at_app.head().await, "0\r\nx-sum: 1\r\n\r\n");
    at_app
        .send(
            "HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n\
             4\r\ndown\r\n0\r\nx-sum: 2\r\n\r\n",
        )
        .await;
    client.head().await;
    assert_eq!(chunk(&mut client).await, "down");
    assert_eq!(client.head().await, "0\r\nx-sum: 2\r\n\r\n");
}

#[tokio::test]
async fn a_client_that_waits_to_continue_is_told_to() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client
        .send(
            "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 4\r\n\
             Expect: 100-continue\r\n\r\n",
        )
        .await;
    assert!(client.head().await.starts_with("http/1.1 100"));
    client.send("body").await;
    let mut at_app = app.accept().await;
    assert_eq!(value(&at_app.head().await, "expect"), None);
    assert_eq!(at_app.exactly(4).await, "body");
    at_app.respond("thanks").await;
    assert!(client.head().await.starts_with("http/1.1 200"));
}

#[tokio::test]
async fn a_client_that_waits_to_continue_is_not_told_to_where_no_app_answers() {
    let proxy = Proxy::start().await;
    let request = "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 4\r\n\
                   Expect: 100-continue\r\n\r\n";
    assert!(proxy.answer(request).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn an_app_may_answer_before_it_has_the_whole_request() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.send("POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 9\r\n\r\nearly").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    assert_eq!(at_app.exactly(5).await, "early");
    at_app.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await;
    assert!(client.head().await.starts_with("http/1.1 413"));
    assert_eq!(client.exactly(2).await, "no");
}

#[tokio::test]
async fn the_app_notices_that_the_client_is_gone() {
    let (proxy, app) = Proxy::with_app().await;
    // While it works on the response, and while it sends it.
    for response in ["", STREAM] {
        let mut client = proxy.client().await;
        client.get("/").await;
        let mut at_app = app.accept().await;
        at_app.head().await;
        at_app.send(response).await;
        if !response.is_empty() {
            client.head().await;
        }
        drop(client);
        assert_eq!(at_app.rest().await, b"");
    }
}

#[tokio::test]
async fn a_body_that_an_app_breaks_off_does_not_look_complete() {
    let (proxy, app) = Proxy::with_app().await;
    for head in [STREAM, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"] {
        let mut client = proxy.client().await;
        client.get("/").await;
        let mut at_app = app.accept().await;
        at_app.head().await;
        at_app.send(head).await;
        at_app.send("4\r\npart\r\n").await;
        client.head().await;
        drop(at_app);
        let body = String::from_utf8(client.rest().await).unwrap();
        assert!("4\r\npart\r\n".starts_with(&body), "{body:?}");
    }
}

#[tokio::test]
async fn a_hundred_megabytes_pass_in_both_directions() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client
        .send(format!("POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: {MUCH}\r\n\r\n"))
        .await;
    let mut at_app = app.accept().await;
    let block = vec![b'x'; 1024 * 1024];
    let up = async {
        for _ in 0..MUCH / block.len() {
            client.send(&block).await;
        }
    };
    let received = async {
        at_app.head().await;
        at_app.skip(MUCH).await;
    };
    tokio::join!(up, received);
    let down = async {
        at_app.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n")).await;
        for _ in 0..MUCH / block.len() {
            at_app.send(&block).await;
        }
    };
    let received = async {
        client.head().await;
        client.skip(MUCH).await;
    };
    tokio::join!(down, received);
}

/// Sends until nothing is taken any more; how much was.
async fn fill(peer: &mut Peer) -> usize {
    let block = vec![b'x'; 1024 * 1024];
    let mut sent = 0;
    while sent < MUCH {
        match peer.try_send(&block, Duration::from_millis(500)).await {
            0 => break,
            taken => sent += taken,
        }
    }
    sent
}

#[tokio::test]
async fn an_app_that_does_not_read_stops_the_client() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client
        .send(format!("POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: {MUCH}\r\n\r\n"))
        .await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    let sent = fill(&mut client).await;
    assert!(sent < MUCH / 2, "{sent} bytes piled up");
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_app() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.get("/").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    at_app.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n")).await;
    let sent = fill(&mut at_app).await;
    assert!(sent < MUCH / 2, "{sent} bytes piled up");
}
