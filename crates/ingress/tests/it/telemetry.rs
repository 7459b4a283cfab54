//! What is counted.

use metrics_exporter_prometheus::PrometheusBuilder;
use windlass_ingress::{Ingress, Limits};

use crate::{
    secure::{Hello, Secure},
    support::{App, Proxy, config},
};

#[tokio::test]
async fn requests_errors_and_what_is_on_its_way_are_counted_without_naming_hosts() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let ingress =
        metrics::with_local_recorder(&recorder, || Ingress::new(config(Limits::default())));
    let (proxy, app) = (Proxy::serve(ingress).await, App::bind().await);
    proxy.route("app", &[&app]);

    let mut client = proxy.client().await;
    client.get("/").await;
    let mut at_app = app.accept().await;
    at_app.head().await;
    assert!(handle.render().contains("windlass_ingress_requests_in_flight 1"));
    at_app.respond("ok").await;
    client.head().await;
    client.exactly(2).await;
    drop((at_app, app));
    for host in ["app", "secret-label"] {
        client
            .send(format!("GET / HTTP/1.1\r\nHost: {host}.localhost\r\nConnection: close\r\n\r\n"))
            .await;
        client.rest().await;
        client = proxy.client().await;
    }
    drop(client);
    proxy.stop().await.unwrap();

    let text = handle.render();
    for line in [
        "windlass_ingress_requests_total{status=\"2xx\"} 1",
        "windlass_ingress_requests_total{status=\"4xx\"} 1",
        "windlass_ingress_requests_total{status=\"5xx\"} 1",
        "windlass_ingress_upstream_errors_total{kind=\"connect\"} 1",
        "windlass_ingress_requests_in_flight 0",
        "windlass_ingress_connections 0",
        "windlass_ingress_response_seconds_count 3",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("secret-label"));
}

#[tokio::test]
async fn handshakes_that_fail_are_counted_by_why() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let ingress =
        metrics::with_local_recorder(&recorder, || Ingress::new(config(Limits::default())));
    let (proxy, _app) = Secure::serve(ingress).await;
    assert!(proxy.connect(Hello::to("secret-label.localhost", &[])).await.is_err());
    assert!(proxy.connect(Hello::to("app.localhost", &["spdy/1"])).await.is_err());
    assert!(proxy.connect(Hello::to("app.localhost", &[])).await.is_ok());
    proxy.stop().await.unwrap();
    let text = handle.render();
    for (kind, count) in [("unknown_name", 1), ("broken", 1), ("timeout", 0)] {
        let line = format!("windlass_ingress_failed_handshakes_total{{kind=\"{kind}\"}} {count}");
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("secret-label"));
}
