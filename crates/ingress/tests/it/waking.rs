//! Requests wait for an app that wakes up.

use std::time::Duration;

use tokio::time::timeout;
use windlass_ingress::{Limits, Target};

use crate::support::{App, PATIENCE, Proxy, target, value};

fn asleep() -> Target {
    Target::Asleep { message: "It sleeps.".to_owned() }
}

#[tokio::test]
async fn a_request_to_an_app_that_sleeps_calls_it_and_gets_its_answer() {
    let proxy = Proxy::start().await;
    let mut calls = proxy.ingress.wake_calls();
    proxy.ingress.routes().set("app", asleep());
    let mut client = proxy.client().await;
    client
        .send("POST /orders HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    let called = timeout(PATIENCE, calls.recv()).await.unwrap().unwrap();
    assert_eq!(called, "app");
    // It is wanted as long as somebody waits for it.
    for _ in 0..2 {
        assert!(proxy.ingress.take_visits().contains("app"));
    }

    // It is started, and then it is there.
    proxy.ingress.routes().set("app", Target::Waking { message: "In a moment.".to_owned() });
    let app = App::bind().await;
    proxy.route("app", &[&app]);
    let mut peer = app.accept().await;
    assert!(peer.head().await.starts_with("post /orders "));
    assert_eq!(peer.exactly(5).await, "hello");
    peer.respond("done").await;
    assert!(client.head().await.starts_with("http/1.1 200"));
    assert_eq!(client.exactly(4).await, "done");
}

#[tokio::test]
async fn an_app_is_called_again_until_it_wakes_up() {
    let proxy = Proxy::start().await;
    let mut calls = proxy.ingress.wake_calls();
    proxy.ingress.routes().set("app", asleep());
    let mut client = proxy.client().await;
    client.get("/").await;
    for _ in 0..3 {
        assert_eq!(timeout(PATIENCE, calls.recv()).await.unwrap().unwrap(), "app");
    }
}

#[tokio::test]
async fn whoever_looks_at_a_page_is_told_soon_and_programs_once_their_time_is_up() {
    let limits = Limits {
        wake: Duration::from_millis(200),
        wake_page: Duration::from_millis(1),
        ..Limits::default()
    };
    let proxy = Proxy::with(limits).await;
    proxy.ingress.routes().set("app", asleep());
    let request = |accept: &str| {
        format!(
            "GET / HTTP/1.1\r\nHost: app.localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        )
    };
    let page = proxy.answer(request("text/html")).await;
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("The app is waking up"), "{page}");
    assert!(page.contains("http-equiv=\"refresh\""), "{page}");
    let answer = proxy.answer(request("*/*")).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(value(&head.to_ascii_lowercase(), "retry-after"), Some("1"));
    assert!(body.contains("\"code\":\"app_waking\""), "{body}");
}

#[tokio::test]
async fn only_so_many_requests_wait() {
    let proxy = Proxy::with(Limits { held: 1, ..Limits::default() }).await;
    let mut calls = proxy.ingress.wake_calls();
    proxy.ingress.routes().set("app", asleep());
    let mut first = proxy.client().await;
    first.get("/").await;
    timeout(PATIENCE, calls.recv()).await.unwrap().unwrap();
    let mut second = proxy.client().await;
    second.get("/").await;
    assert!(second.head().await.starts_with("http/1.1 503"));

    let app = App::bind().await.answer_always("awake");
    let addresses = vec![app];
    proxy.ingress.routes().set("app", Target::App { id: "app".to_owned(), addresses });
    assert!(first.head().await.starts_with("http/1.1 200"));
}

#[tokio::test]
async fn an_app_that_is_gone_after_all_is_not_waited_for() {
    let proxy = Proxy::start().await;
    let mut calls = proxy.ingress.wake_calls();
    proxy.ingress.routes().set("app", asleep());
    let mut client = proxy.client().await;
    client.get("/").await;
    timeout(PATIENCE, calls.recv()).await.unwrap().unwrap();
    proxy.ingress.routes().remove("app");
    assert!(client.head().await.starts_with("http/1.1 404"));
}

#[tokio::test]
async fn visits_are_told_once_and_for_as_long_as_they_last() {
    let proxy = Proxy::start().await;
    let (app, idle) = (App::bind().await, App::bind().await);
    proxy.route("app", &[&app]);
    proxy.route("idle", &[&idle]);
    let routes = proxy.ingress.routes();
    let visits = || proxy.ingress.take_visits().into_iter().collect::<Vec<_>>();
    assert_eq!(visits(), [""; 0]);

    let mut client = proxy.client().await;
    client.get("/").await;
    let mut peer = app.accept().await;
    peer.head().await;
    // It takes long, and that the table is replaced meanwhile changes nothing.
    for _ in 0..2 {
        assert_eq!(visits(), ["app"]);
        let apps = [("app", &app), ("idle", &idle)];
        routes.replace_all(apps.map(|(label, app)| (label.to_owned(), target(&[app]))));
    }
    peer.respond("done").await;
    client.head().await;
    client.exactly(4).await;
    drop(client);
    let quiet = async {
        while !visits().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, quiet).await.unwrap();

    let mut client = proxy.client().await;
    client.get("/").await;
    // Over the connection that was kept.
    peer.head().await;
    routes.replace_all([("app".to_owned(), target(&[&app]))]);
    peer.respond("done").await;
    client.head().await;
    client.exactly(4).await;
    // A visit that is over before anybody asked is told as well.
    assert_eq!(visits(), ["app"]);
}
