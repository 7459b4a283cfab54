//! What a client gets where no app answers.

use windlass_ingress::{Outage, Target};

use crate::support::{App, Proxy, value};

const REQUEST: &str =
    "GET / HTTP/1.1\r\nHost: app.localhost\r\nX-Request-Id: r1\r\nConnection: close\r\n\r\n";

fn split(answer: &str) -> (String, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body)
}

#[tokio::test]
async fn an_unknown_host_is_a_404() {
    let proxy = Proxy::start().await;
    let answer = proxy.answer(REQUEST).await;
    let (head, body) = split(&answer);
    assert!(head.starts_with("http/1.1 404"));
    assert_eq!(value(&head, "content-type"), Some("application/json"));
    assert_eq!(value(&head, "cache-control"), Some("no-store"));
    assert_eq!(value(&head, "x-request-id"), Some("r1"));
    assert_eq!(
        body,
        "{\"error\":\"Not Found\",\"message\":\"no app has this host name\",\
         \"code\":\"unknown_host\",\"request_id\":\"r1\"}\n"
    );
}

#[tokio::test]
async fn a_browser_gets_a_page() {
    let proxy = Proxy::start().await;
    let request = REQUEST.replace("X-Request-Id", "Accept: text/html,*/*;q=0.8\r\nX-Request-Id");
    let answer = proxy.answer(request).await;
    let (head, body) = split(&answer);
    assert_eq!(value(&head, "content-type"), Some("text/html; charset=utf-8"));
    assert!(
        body.starts_with("<!doctype html>") && body.contains("There is no app at this address")
    );
}

#[tokio::test]
async fn an_app_that_is_not_there_says_why() {
    let proxy = Proxy::start().await;
    let message = "it said \"no\"".to_owned();
    for (target, status, code) in [
        (Target::Starting { message: message.clone() }, "503", "app_starting"),
        (
            Target::Unavailable { reason: Outage::Failed, message: message.clone() },
            "502",
            "app_failed",
        ),
        (
            Target::Unavailable { reason: Outage::Stopped, message: message.clone() },
            "503",
            "app_stopped",
        ),
        (
            Target::Unavailable { reason: Outage::Paused, message: message.clone() },
            "503",
            "app_paused",
        ),
        (Target::App { id: "app".to_owned(), addresses: Vec::new() }, "502", "app_unreachable"),
    ] {
        let is_told = !matches!(target, Target::App { .. });
        proxy.ingress.routes().set("app", target);
        let answer = proxy.answer(REQUEST).await;
        let (head, body) = split(&answer);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{head}");
        assert!(body.contains(&format!("\"code\":\"{code}\"")), "{body}");
        assert_eq!(body.contains("it said \\\"no\\\""), is_told, "{body}");
        assert_eq!(value(&head, "retry-after"), (status == "503").then_some("1"));
    }
}

#[tokio::test]
async fn an_app_that_refuses_connections_is_a_502() {
    let (proxy, app) = Proxy::with_app().await;
    drop(app);
    let answer = proxy.answer(REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("app_unreachable"), "{answer}");
}

#[tokio::test]
async fn an_app_that_hangs_up_or_talks_nonsense_is_a_502() {
    let (proxy, app) = Proxy::with_app().await;
    for nonsense in
        ["", "HTTP/1.1 2", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n"]
    {
        let mut client = proxy.client().await;
        client.send(REQUEST).await;
        let mut at_app = app.accept().await;
        at_app.head().await;
        at_app.send(nonsense).await;
        drop(at_app);
        let answer = String::from_utf8(client.rest().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 502"), "{nonsense:?}: {answer}");
        assert!(answer.contains("app_broke_off"), "{nonsense:?}: {answer}");
    }
}

#[tokio::test]
async fn a_head_request_gets_no_body() {
    let proxy = Proxy::start().await;
    let answer = proxy.answer(REQUEST.replace("GET", "HEAD")).await;
    assert!(answer.starts_with("HTTP/1.1 404") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn connect_and_trace_do_not_reach_apps() {
    let proxy = Proxy::start().await;
    proxy.route("app", &[&App::bind().await]);
    for line in ["CONNECT app.localhost:80", "TRACE /"] {
        let request =
            format!("{line} HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n");
        let answer = proxy.answer(request).await;
        let (head, _) = split(&answer);
        assert!(head.starts_with("http/1.1 405"), "{head}");
        assert!(value(&head, "allow").is_some(), "{head}");
    }
}
