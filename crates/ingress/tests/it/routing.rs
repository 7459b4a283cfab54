//! Which app a request reaches.

use crate::support::{App, Proxy, target, value};

#[tokio::test]
async fn the_host_decides_which_app_answers() {
    let proxy = Proxy::start().await;
    let apps = [("main-shop", "shop"), ("main-blog", "blog")];
    for (label, body) in apps {
        let app = App::bind().await;
        proxy.route(label, &[&app]);
        app.answer_always(body);
    }
    for (host, body) in [
        ("main-shop.localhost", "shop"),
        ("main-blog.localhost:8081", "blog"),
        ("Main-Blog.LocalHost.", "blog"),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert!(proxy.answer(&request).await.ends_with(body), "{host}");
    }
}

#[tokio::test]
async fn one_connection_may_ask_for_several_apps() {
    let (proxy, shop) = Proxy::with_app().await;
    let blog = App::bind().await;
    proxy.route("blog", &[&blog]);
    shop.answer_always("shop");
    blog.answer_always("blog");
    let mut client = proxy.client().await;
    for (host, body) in [("app", "shop"), ("blog", "blog"), ("app", "shop")] {
        client.send(format!("GET / HTTP/1.1\r\nHost: {host}.localhost\r\n\r\n")).await;
        client.head().await;
        assert_eq!(client.exactly(4).await, body);
    }
}

#[tokio::test]
async fn the_target_of_an_absolute_form_request_wins_over_its_host() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.send("GET http://app.localhost/a?b=c HTTP/1.1\r\nHost: evil.localhost\r\n\r\n").await;
    let head = app.accept().await.head().await;
    assert!(head.starts_with("get /a?b=c http/1.1\r\n"), "{head}");
    assert_eq!(value(&head, "host"), Some("app.localhost"));
    assert_eq!(value(&head, "x-forwarded-host"), Some("app.localhost"));
}

#[tokio::test]
async fn path_and_query_reach_the_app_as_they_were_sent() {
    let (proxy, app) = Proxy::with_app().await;
    let mut client = proxy.client().await;
    client.get("/a%2Fb//../c;d=1?q=%20+&&x=[1]").await;
    let head = app.accept().await.head().await;
    assert!(head.starts_with("get /a%2fb//../c;d=1?q=%20+&&x=[1] http/1.1\r\n"), "{head}");
}

#[tokio::test]
async fn the_replicas_of_an_app_take_turns() {
    let proxy = Proxy::start().await;
    let (one, two) = (App::bind().await, App::bind().await);
    proxy.route("app", &[&one, &two]);
    one.answer_always("1");
    two.answer_always("2");
    let mut client = proxy.client().await;
    let mut answers = String::new();
    for _ in 0..4 {
        client.get("/").await;
        client.head().await;
        answers.push_str(&client.exactly(1).await);
    }
    assert!(["1212", "2121"].contains(&answers.as_str()), "{answers}");
}

#[tokio::test]
async fn a_replica_that_refuses_connections_is_passed_over() {
    let proxy = Proxy::start().await;
    let (gone, alive) = (App::bind().await, App::bind().await);
    proxy.route("app", &[&gone, &alive]);
    drop(gone);
    alive.answer_always("alive");
    let mut client = proxy.client().await;
    for _ in 0..4 {
        client
            .send("POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 4\r\n\r\nbody")
            .await;
        assert!(client.head().await.starts_with("http/1.1 200"));
        assert_eq!(client.exactly(5).await, "alive");
    }
}

#[tokio::test]
async fn all_labels_can_be_replaced_at_once() {
    let (proxy, app) = Proxy::with_app().await;
    let routes = proxy.ingress.routes();
    routes.replace_all([("other".to_owned(), target(&[&app]))]);
    app.answer_always("here");
    let ask = async |host: &str| {
        proxy.answer(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
    };
    assert!(ask("app.localhost").await.starts_with("HTTP/1.1 404"));
    assert!(ask("other.localhost").await.ends_with("here"));
    routes.remove("OTHER");
    assert!(ask("other.localhost").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_whole_host_name_may_lead_where_a_label_does() {
    let (proxy, app) = Proxy::with_app().await;
    let routes = proxy.ingress.routes();
    let alias = |host: &str, label: &str| (host.to_owned(), label.to_owned());
    app.answer_always("app");
    routes.set_aliases([
        alias("Shop.Example.com.", "APP"),
        alias("xn--bcher-kva.example", "app"),
        alias("gone.example", "gone"),
        alias("a.b.localhost", "app"),
        alias("other.localhost", "app"),
    ]);
    let ask = async |host: &str| {
        proxy.answer(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
    };
    for host in ["shop.example.com", "SHOP.example.com.:8081", "xn--bcher-kva.example"] {
        assert!(ask(host).await.ends_with("app"), "{host}");
    }
    for host in ["gone.example", "example.com", "a.b.localhost", "other.localhost"] {
        assert!(ask(host).await.starts_with("HTTP/1.1 404"), "{host}");
    }
    routes.replace_all([]);
    assert!(ask("shop.example.com").await.starts_with("HTTP/1.1 404"));
    let app = App::bind().await;
    proxy.route("app", &[&app]);
    app.answer_always("again");
    assert!(ask("shop.example.com").await.ends_with("again"), "aliases are left alone");
    routes.set_aliases([alias("new.example", "app")]);
    assert!(ask("shop.example.com").await.starts_with("HTTP/1.1 404"));
    assert!(ask("new.example").await.ends_with("again"));
}
