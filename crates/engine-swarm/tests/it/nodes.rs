//! A swarm of several machines.

use std::net::SocketAddr;

use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use windlass_domain::{Availability, DeploymentId, NodeName, NodeRole, NodeState};
use windlass_engine::{Admission, AppState, Engine as _, EngineError, ObservedNode};
use windlass_engine_swarm::{SwarmEngine, join};

use crate::{
    cluster::Cluster,
    site::{GRACE, LONG, Site, app, build_well, collect, docker, get, text, until},
};

const SERVE: &str = "RUN mkdir /srv && echo hello > /srv/index.html\n\
                     CMD echo begun; exec httpd -f -p $PORT -h /srv";

async fn node(engine: &SwarmEngine, hostname: &str) -> Option<ObservedNode> {
    let nodes = engine.nodes().await.unwrap();
    nodes.into_iter().find(|node| node.hostname == hostname)
}

async fn set(engine: &SwarmEngine, hostname: &str, availability: Availability) {
    let name = node(engine, hostname).await.unwrap().name;
    engine.set_availability(&name, availability).await.unwrap();
}

/// The names of the machines that an app is on, one for each replica.
async fn places(engine: &SwarmEngine, app: DeploymentId) -> Vec<String> {
    let nodes = engine.nodes().await.unwrap().into_iter();
    let on = |node: &ObservedNode| node.apps.iter().filter(|it| **it == app).count();
    nodes.flat_map(|node| vec![node.hostname.clone(); on(&node)]).collect()
}

/// Waits until an app answers on these machines alone, and is observed so.
async fn until_on(engine: &SwarmEngine, cluster: &Cluster, app: DeploymentId, nodes: &[u8]) {
    let hostnames: Vec<String> = nodes.iter().map(|node| format!("node{node}")).collect();
    let wanted: Vec<_> = nodes.iter().map(|node| cluster.address(*node)).collect();
    until(&format!("it runs on {hostnames:?}"), async || {
        let apps = engine.observe().await.unwrap();
        let Some(AppState::Running(running)) =
            apps.into_iter().find(|it| it.deployment == app).map(|it| it.state)
        else {
            return false;
        };
        let mut seen: Vec<_> = running.addresses.iter().map(SocketAddr::ip).collect();
        seen.sort_unstable();
        if seen != wanted {
            return false;
        }
        for address in running.addresses {
            assert!(get(address, "/").await.ends_with("hello\n"));
        }
        let mut places = places(engine, app).await;
        places.sort_unstable();
        places == hostnames
    })
    .await;
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, EngineError>) -> String {
    match answer {
        Err(EngineError::Refused(text)) => text,
        answer => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn machines_join_and_leave_and_a_token_that_was_replaced_lets_nobody_in() {
    let cluster = Cluster::of(3);
    cluster.init_swarm();
    let site = Site::on(cluster.endpoint(1), None);
    let engine = site.engine().await;
    let admission = engine.admission().await.unwrap();
    let joined = join(&cluster.endpoint(2), &admission, None).await.unwrap();
    assert!(!joined.was_in);
    let again = join(&cluster.endpoint(2), &admission, None).await.unwrap();
    assert!(again.was_in && again.node == joined.node, "{again:?}");
    assert!(join(&cluster.endpoint(1), &admission, None).await.unwrap().was_in);

    let newer = engine.rotate_admission().await.unwrap();
    assert_ne!(newer.token.expose_secret(), admission.token.expose_secret());
    let said = refusal(join(&cluster.endpoint(3), &admission, None).await);
    assert!(said.contains("does not take this token"), "{said}");
    assert!(!said.contains(admission.token.expose_secret()), "{said}");
    join(&cluster.endpoint(3), &newer, Some(cluster.address(3))).await.unwrap();
    let mut nodes = engine.nodes().await.unwrap();
    nodes.sort_by(|one, other| one.hostname.cmp(&other.hostname));
    let roles = [NodeRole::Manager, NodeRole::Worker, NodeRole::Worker];
    for ((node, role), number) in nodes.iter().zip(roles).zip(1..) {
        assert_eq!((&node.hostname, node.role), (&format!("node{number}"), role));
        assert_eq!(node.address, Some(cluster.address(number)));
        assert_eq!(node.availability, Availability::Active);
    }
    assert_eq!(nodes.len(), 3);

    let third = nodes.pop().unwrap().name;
    let said = refusal(engine.remove_node(&third).await);
    assert!(said.contains("drain it first"), "{said}");
    let first: &NodeName = &nodes.first().unwrap().name;
    assert!(refusal(engine.remove_node(first).await).contains("by way of node1"));
    set(&engine, "node3", Availability::Drained).await;
    for _ in 0..2 {
        engine.remove_node(&third).await.unwrap();
    }
    assert_eq!(node(&engine, "node3").await, None);

    // Somebody else's swarm is not left for ours.
    cluster.docker(3, &["swarm", "leave", "--force"]);
    let address = cluster.address(3).to_string();
    cluster.docker(3, &["swarm", "init", "--advertise-addr", &address]);
    let said = refusal(join(&cluster.endpoint(3), &newer, None).await);
    assert!(said.contains("`docker swarm leave`"), "{said}");
}

#[tokio::test]
async fn a_machine_that_could_not_join_is_as_it_was() {
    let cluster = Cluster::of(2);
    cluster.init_swarm();
    let site = Site::on(cluster.endpoint(1), None);
    let good = site.engine().await.admission().await.unwrap();
    let nobody = SocketAddr::new(cluster.address(9), 2377);
    let lost = Admission { managers: vec![nobody], ..good.clone() };
    let error = join(&cluster.endpoint(2), &lost, None).await.unwrap_err();
    let EngineError::Unavailable(said) = &error else { panic!("{error:?}") };
    assert!(said.contains(&nobody.to_string()), "{said}");

    let token = docker(&["swarm", "join-token", "--quiet", "worker"]);
    let stranger = Admission { token: token.into(), ..good.clone() };
    let said = refusal(join(&cluster.endpoint(2), &stranger, None).await);
    assert!(said.contains("another swarm"), "{said}");
    assert!(!join(&cluster.endpoint(2), &good, None).await.unwrap().was_in);
}

#[tokio::test]
async fn an_app_moves_when_its_machine_is_drained_or_dies() {
    let mut cluster = Cluster::of(3);
    cluster.init_swarm();
    let registry = cluster.start_registry(true);
    let site = Site::on(cluster.endpoint(1), Some(registry));
    let engine = site.engine().await;
    let admission = engine.admission().await.unwrap();
    for node in [2, 3] {
        join(&cluster.endpoint(node), &admission, None).await.unwrap();
    }
    let request = site.request(site.commit_dockerfile(SERVE, &[]));
    build_well(&engine, &request).await;

    // It is built on the first one, and runs on another, which gets it from the registry.
    for hostname in ["node1", "node3"] {
        set(&engine, hostname, Availability::Drained).await;
    }
    let app = app(&request);
    engine.start(&app).await.unwrap();
    until_on(&engine, &cluster, app.deployment, &[2]).await;
    let second = node(&engine, "node2").await.unwrap().name;
    let nowhere = refusal(engine.set_availability(&second, Availability::Drained).await);
    assert!(nowhere.contains("no other node"), "{nowhere}");

    let (sender, lines) = collect();
    let story = async {
        set(&engine, "node3", Availability::Active).await;
        set(&engine, "node2", Availability::Drained).await;
        until_on(&engine, &cluster, app.deployment, &[3]).await;

        set(&engine, "node2", Availability::Active).await;
        let mut changes = engine.changes();
        cluster.kill(3);
        until_on(&engine, &cluster, app.deployment, &[2]).await;
        assert_eq!(changes.recv().await.unwrap(), app.deployment);
        let third = node(&engine, "node3").await.unwrap();
        assert_eq!(third.state, NodeState::Down);
        // Its log goes on where it goes on.
        let (sender, mut received) = tokio::sync::mpsc::channel(1);
        let third_line = async {
            tokio::select! {
                _ = engine.follow(app.deployment, 2, sender) => None,
                line = received.recv() => line.map(|line| line.number),
            }
        };
        assert_eq!(timeout(LONG, third_line).await, Ok(Some(2)));
        // What is on a machine that is lost cannot be waited for.
        engine.stop(app.deployment, GRACE).await.unwrap();
        engine.remove_node(&third.name).await.unwrap();
        assert_eq!(node(&engine, "node3").await, None);
    };
    let (followed, ()) = tokio::join!(engine.follow(app.deployment, 0, sender), story);
    followed.unwrap();
    assert_eq!(text(&lines.await.unwrap()), "begun\nbegun\nbegun");
    assert_eq!(engine.observe().await.unwrap(), []);
}
