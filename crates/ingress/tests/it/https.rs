//! What is answered without TLS where there is TLS: redirects, and challenges of authorities.

use windlass_ingress::{External, HttpsRedirect, Ingress, IngressConfig, Limits, Scheme};

use crate::{
    secure::Secure,
    support::{App, Proxy, config, value},
};

const CHALLENGE: &str = "/.well-known/acme-challenge/t0ken";

fn redirecting(port: u16) -> Ingress {
    let https = Some(HttpsRedirect { port });
    Ingress::new(IngressConfig { https, ..config(Limits::default()) })
}

async fn answer(proxy: &Proxy, line: &str, host: &str) -> String {
    let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    proxy.answer(request).await
}

#[tokio::test]
async fn every_request_is_sent_to_the_same_host_and_path_with_tls() {
    let (proxy, app) = (Proxy::serve(redirecting(443)).await, App::bind().await);
    proxy.route("app", &[&app]);
    for (line, host, location) in [
        ("GET /", "app.localhost", "https://app.localhost/"),
        ("GET /a%2Fb//c?d=e&f", "App.localhost:8080", "https://App.localhost/a%2Fb//c?d=e&f"),
        ("POST //evil.example/x", "unknown.localhost", "https://unknown.localhost//evil.example/x"),
        ("GET /x", "127.0.0.1:80", "https://127.0.0.1/x"),
        ("GET /x", "[::1]:80", "https://[::1]/x"),
        ("OPTIONS *", "app.localhost", "https://app.localhost/"),
        ("GET http://app.localhost?q", "ignored", "https://app.localhost/?q"),
        ("GET /.well-known/acme-challenge/x", "a.b", "https://a.b/.well-known/acme-challenge/x"),
    ] {
        let answer = answer(&proxy, line, host).await;
        assert!(answer.starts_with("HTTP/1.1 308"), "{line}: {answer}");
        assert!(answer.contains(&format!("\r\nlocation: {location}\r\n")), "{line}: {answer}");
        assert!(!answer.contains("strict-transport-security"), "{answer}");
    }
    assert!(answer(&proxy, "GET /", "").await.starts_with("HTTP/1.1 400"));
    assert!(answer(&proxy, "CONNECT a.b:80", "a.b:80").await.starts_with("HTTP/1.1 405"));
}

#[tokio::test]
async fn the_port_is_named_where_it_is_not_the_usual_one() {
    let proxy = Proxy::serve(redirecting(8443)).await;
    let answer = answer(&proxy, "GET /?q", "app.localhost:8080").await;
    assert!(answer.contains("\r\nlocation: https://app.localhost:8443/?q\r\n"), "{answer}");
}

#[tokio::test]
async fn a_challenge_is_answered_as_long_as_it_is_there() {
    for ingress in [redirecting(443), Ingress::new(config(Limits::default()))] {
        let (proxy, app) = (Proxy::serve(ingress).await, App::bind().await);
        proxy.route("app", &[&app]);
        app.answer_always("from the app");
        let line = format!("GET {CHALLENGE}");
        let before = answer(&proxy, &line, "app.localhost").await;
        proxy.ingress.challenges().set("t0ken", "t0ken.thumbprint");
        for host in ["app.localhost", "unknown.localhost", "shop.example"] {
            let answer = answer(&proxy, &line, host).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.contains("\r\ncontent-type: text/plain\r\n"), "{answer}");
            assert!(answer.ends_with("\r\n\r\nt0ken.thumbprint"), "{answer}");
        }
        for path in ["/.well-known/acme-challenge/", "/.well-known/acme-challenge/t0ken/"] {
            let answer = answer(&proxy, &format!("GET {path}"), "app.localhost").await;
            assert!(!answer.contains("thumbprint"), "{path}: {answer}");
        }
        proxy.ingress.challenges().remove("t0ken");
        let after = answer(&proxy, &line, "app.localhost").await;
        assert_eq!(after.get(..12), before.get(..12), "{after}");
        assert!(!after.contains("thumbprint"), "{after}");
    }
}

#[tokio::test]
async fn an_app_is_told_the_port_that_clients_use_with_tls() {
    for (https, external, port) in [
        (Some(HttpsRedirect { port: 8443 }), External { scheme: Scheme::Http, port: 80 }, "8443"),
        (None, External { scheme: Scheme::Https, port: 9443 }, "9443"),
        (None, External { scheme: Scheme::Http, port: 80 }, "443"),
    ] {
        let config = IngressConfig { https, external, ..config(Limits::default()) };
        let (proxy, app) = Secure::serve(Ingress::new(config)).await;
        let mut client = proxy.http1("app.localhost").await;
        client.get("/").await;
        let head = app.accept().await.head().await;
        assert_eq!(value(&head, "x-forwarded-port"), Some(port));
        assert_eq!(value(&head, "x-forwarded-proto"), Some("https"));
    }
}
