//! What an engine promises about its machines. Nothing here disturbs other apps on them.
#![expect(clippy::missing_panics_doc, reason = "a broken promise is a panic")]

use std::time::Duration;

use secrecy::ExposeSecret as _;
use windlass_domain::{Availability, DeploymentId, NodeName, NodeState};

use super::{
    AppPlan, Harness,
    support::{app_request, built, eventually, patiently},
};
use crate::{EngineError, ObservedNode};

/// There is a machine, and it can be told from others.
pub async fn some_node_is_ready(harness: &dyn Harness) {
    let nodes = nodes(harness).await;
    let ready: Vec<_> = nodes.iter().filter(|node| node.state == NodeState::Ready).collect();
    assert!(!ready.is_empty(), "{nodes:?}");
    for node in ready {
        assert!(0 < node.cpu_millis && 0 < node.memory_bytes, "{node:?}");
        assert!(!node.hostname.is_empty(), "{node:?}");
    }
    let mut names: Vec<&NodeName> = nodes.iter().map(|node| &node.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), nodes.len(), "{nodes:?}");
}

/// Each replica of an app that runs is on exactly one machine, and on none once it is stopped.
pub async fn an_app_is_on_one_node_for_each_replica(harness: &dyn Harness) {
    let app = app_request(&built(harness, AppPlan::Answers).await);
    let started = patiently(harness.engine().start(&app)).await.expect("it becomes healthy");
    assert_eq!(places(harness, app.deployment).await, started.addresses.len());
    let stopped = patiently(harness.engine().stop(app.deployment, Duration::from_secs(1))).await;
    stopped.expect("apps can be stopped");
    eventually(async || (places(harness, app.deployment).await == 0).then_some(())).await;
}

/// A machine that is not there cannot be told anything; that it is gone is what removing is for.
pub async fn a_node_that_is_not_there_is_told_nothing(harness: &dyn Harness) {
    let engine = harness.engine();
    let nobody: NodeName = "nobody".parse().expect("it is a name");
    for availability in [Availability::Active, Availability::Paused, Availability::Drained] {
        let answer = patiently(engine.set_availability(&nobody, availability)).await;
        assert!(is_refusal(&answer), "{answer:?}");
    }
    let answer = patiently(engine.remove_node(&nobody)).await;
    assert!(answer.is_ok() || is_refusal(&answer), "{answer:?}");
}

/// A machine that is given apps is not removed.
pub async fn a_node_that_runs_apps_is_not_removed(harness: &dyn Harness) {
    for node in nodes(harness).await {
        if node.availability == Availability::Active && node.state == NodeState::Ready {
            let answer = patiently(harness.engine().remove_node(&node.name)).await;
            assert!(is_refusal(&answer), "{answer:?}");
        }
    }
    some_node_is_ready(harness).await;
}

/// Either other machines are told how to join, the same every time, or why they cannot.
pub async fn others_are_told_how_to_join_or_why_they_cannot(harness: &dyn Harness) {
    match patiently(harness.engine().admission()).await {
        Ok(admission) => {
            assert!(!admission.token.expose_secret().is_empty());
            assert!(!admission.managers.is_empty());
            assert!(!format!("{admission:?}").contains(admission.token.expose_secret()));
            let again = patiently(harness.engine().admission()).await.expect("it is told again");
            assert_eq!(again.token.expose_secret(), admission.token.expose_secret());
        }
        Err(error) => assert!(is_refusal::<()>(&Err(error))),
    }
}

async fn nodes(harness: &dyn Harness) -> Vec<ObservedNode> {
    patiently(harness.engine().nodes()).await.expect("nodes can be listed")
}

/// On how many machines an app is.
async fn places(harness: &dyn Harness, app: DeploymentId) -> usize {
    let nodes = nodes(harness).await;
    nodes.iter().flat_map(|node| &node.apps).filter(|it| **it == app).count()
}

fn is_refusal<T>(answer: &Result<T, EngineError>) -> bool {
    matches!(answer, Err(EngineError::Refused(text)) if !text.is_empty())
}
