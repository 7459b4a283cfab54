//! A Docker on another machine, with TLS on both sides.

use windlass_engine::{Engine as _, EngineError};
use windlass_engine_swarm::{Endpoint, SwarmEngine};

use crate::{
    authority::Authority,
    cluster::Cluster,
    site::{GRACE, Site, app, build_well, get},
};

#[tokio::test]
async fn a_docker_on_another_machine_is_reached_with_tls() {
    let cluster = Cluster::with_tls();
    cluster.init_swarm();
    let site = Site::on(cluster.tls_endpoint(1), None);
    let serve = "RUN mkdir /srv && echo hello > /srv/index.html\n\
                 CMD exec httpd -f -p $PORT -h /srv";
    let request = site.request(site.commit_dockerfile(serve, &[]));
    let engine = site.engine().await;
    engine.check().await.unwrap();
    build_well(&engine, &request).await;
    let app = app(&request);
    let running = engine.start(&app).await.unwrap();
    assert_eq!(running.addresses[0].ip(), cluster.address(1));
    assert!(get(running.addresses[0], "/").await.ends_with("hello\n"));
    engine.stop(app.deployment, GRACE).await.unwrap();
}

#[tokio::test]
async fn whoever_shows_no_certificate_that_is_trusted_is_not_served() {
    let cluster = Cluster::with_tls();
    cluster.init_swarm();
    let (known, Endpoint::Tls { address, ca, .. }) =
        (cluster.tls_endpoint(1), cluster.tls_endpoint(1))
    else {
        panic!("it is with TLS")
    };
    let folder = tempfile::tempdir().unwrap();
    let [other_ca, certificate, key] = Authority::new().write(folder.path(), "stranger");
    let missing = folder.path().join("missing.pem");
    let tls = |ca: &_, certificate: &_, key: &_| Endpoint::Tls {
        address: address.clone(),
        ca: Clone::clone(ca),
        certificate: Clone::clone(certificate),
        key: Clone::clone(key),
    };
    let site = Site::on(known, None);
    for endpoint in [
        tls(&ca, &certificate, &key),
        tls(&other_ca, &certificate, &key),
        tls(&ca, &certificate, &missing),
        Endpoint::Tls {
            address: "127.0.0.1:1".to_owned(),
            ca: ca.clone(),
            certificate: certificate.clone(),
            key: key.clone(),
        },
    ] {
        let mut config = site.config();
        config.endpoint = endpoint.clone();
        let engine = SwarmEngine::open(config).await.unwrap();
        let error = engine.check().await.unwrap_err();
        let text = "the Docker daemon of this server cannot be reached";
        let is_told = matches!(&error, EngineError::Unavailable(it) if it.starts_with(text));
        assert!(is_told, "{endpoint:?}: {error:?}");
    }
}
