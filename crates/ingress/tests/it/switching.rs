//! Apps are replaced while requests keep coming.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::{JoinSet, yield_now};
use windlass_ingress::{Drained, Limits, Target};

use crate::support::{App, PATIENCE, Peer, Proxy, target};

#[tokio::test]
async fn draining_waits_for_a_request_on_its_way() {
    let (proxy, old) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.get("/slow").await;
    let mut at_old = old.accept().await;
    at_old.head().await;
    proxy.route("app", &[&App::bind().await]);

    let early = proxy.ingress.drain(old.address, Duration::ZERO).await;
    assert_eq!(early, Drained::TimedOut { left: 1 });
    let ingress = proxy.ingress.clone();
    let draining = tokio::spawn(async move { ingress.drain(old.address, PATIENCE).await });
    at_old.respond("done").await;
    assert!(client.head().await.starts_with("http/1.1 200"));
    assert_eq!(client.exactly(4).await, "done");
    assert_eq!(draining.await.unwrap(), Drained::Idle);
    assert_eq!(at_old.rest().await, b"", "no connection to a replaced app is kept");
}

#[tokio::test]
async fn an_address_that_nothing_is_on_its_way_to_is_drained_at_once() {
    let (proxy, app) = Proxy::with_app().await;
    assert_eq!(proxy.ingress.drain(app.address, Duration::ZERO).await, Drained::Idle);
    let unknown = App::bind().await.address;
    assert_eq!(proxy.ingress.drain(unknown, Duration::ZERO).await, Drained::Idle);
}

/// A connection to an app, idle after a request.
async fn idle_connection(proxy: &Proxy, app: &App) -> Peer {
    let mut client = proxy.client().await;
    client.get("/").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    at_app.respond("ok").await;
    client.head().await;
    client.exactly(2).await;
    at_app
}

#[tokio::test]
async fn idle_connections_to_an_app_are_closed_as_soon_as_no_route_leads_there() {
    let limits = Limits { idle_connection: PATIENCE * 2, ..Limits::default() };
    let (proxy, old, new) = (Proxy::with(limits).await, App::bind().await, App::bind().await);
    let routes = proxy.ingress.routes();
    let ways: [&dyn Fn(); 4] = [
        &|| routes.set("app", target(&[&new])),
        &|| routes.set("app", Target::Starting { message: String::new() }),
        &|| routes.replace_all([]),
        &|| routes.remove("app"),
    ];
    for go_away in ways {
        proxy.route("app", &[&old]);
        let mut busy = proxy.client().await;
        busy.get("/slow").await;
        let mut at_busy = old.accept().await;
        at_busy.head().await;
        let mut at_idle = idle_connection(&proxy, &old).await;
        go_away();
        assert_eq!(at_idle.rest().await, b"", "though another one is still in use");
        at_busy.respond("done").await;
        assert!(busy.head().await.starts_with("http/1.1 200"));
    }
}

#[tokio::test]
async fn a_change_elsewhere_leaves_idle_connections_alone() {
    let limits = Limits { idle_connection: PATIENCE, ..Limits::default() };
    let (proxy, app) = (Proxy::with(limits).await, App::bind().await);
    proxy.route("app", &[&app]);
    let mut at_app = idle_connection(&proxy, &app).await;
    proxy.route("other", &[&App::bind().await]);
    proxy.route("app", &[&app, &App::bind().await]);
    proxy.route("app", &[&app]);
    proxy.client().await.get("/again").await;
    assert!(at_app.head().await.starts_with("get /again"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_when_its_time_is_up_though_no_request_follows() {
    let limits = Limits { idle_connection: Duration::from_millis(50), ..Limits::default() };
    let (proxy, app) = (Proxy::with(limits).await, App::bind().await);
    proxy.route("app", &[&app]);
    for _ in 0..2 {
        assert_eq!(idle_connection(&proxy, &app).await.rest().await, b"");
    }
}

#[tokio::test]
async fn a_kept_connection_is_used_again_and_one_that_the_app_closed_is_not() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    let mut at_app = None::<Peer>;
    for round in 0..6 {
        client.get("/").await;
        let mut peer = match at_app.take() {
            Some(peer) => peer,
            None => app.accept().await,
        };
        peer.head().await;
        peer.respond("ok").await;
        client.head().await;
        client.exactly(2).await;
        // Every second time, the app hangs up between two requests.
        at_app = (round % 2 == 0).then_some(peer);
    }
}

#[tokio::test]
async fn connections_are_not_kept_for_longer_than_the_limit() {
    let limits = Limits { idle_connection: Duration::ZERO, ..Limits::default() };
    let (proxy, app) = (Proxy::with(limits).await, App::bind().await);
    proxy.route("app", &[&app]);
    for _ in 0..2 {
        idle_connection(&proxy, &app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_apps_are_replaced() {
    const SWITCHES: usize = 50;
    let proxy = Proxy::start().await;
    let new_app = async || {
        let app = App::bind().await;
        let target = target(&[&app]);
        (app.address, target, tokio::spawn(keep_answering(app)))
    };
    let (mut address, first, mut running) = new_app().await;
    proxy.ingress.routes().set("app", first);

    let is_over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let (is_over, answered) = (Arc::clone(&is_over), Arc::clone(&answered));
        let mut client = proxy.client().await;
        clients.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                client.get("/").await;
                let head = client.head().await;
                assert!(head.starts_with("http/1.1 200"), "{head}");
                assert_eq!(client.exactly(2).await, "ok");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for _ in 0..SWITCHES {
        let so_far = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < so_far + 20 && !clients.is_empty() {
            yield_now().await;
        }
        let (new_address, target, new_running) = new_app().await;
        proxy.ingress.routes().set("app", target);
        assert_eq!(proxy.ingress.drain(address, PATIENCE).await, Drained::Idle);
        // Killed, connections and all, the moment it is drained.
        running.abort();
        (address, running) = (new_address, new_running);
    }
    is_over.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert!(SWITCHES * 20 <= answered.load(Ordering::Relaxed));
}

/// Answers until aborted; all its connections end with it.
async fn keep_answering(app: App) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = app.listener.accept().await {
        connections.spawn(async move {
            let mut peer = Peer::new(stream);
            while peer.next_head().await.is_some() {
                peer.respond("ok").await;
            }
        });
    }
}
