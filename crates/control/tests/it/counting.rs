//! What Prometheus is told of deployments.

use std::collections::BTreeMap;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use windlass_control::{Expected, cancel_deployment, destroy_environment};
use windlass_domain::{BuildResult, DeploymentState};
use windlass_engine::{
    AppState,
    fake::{BuildScript, Gate},
};

use crate::support::Platform;

#[tokio::test]
async fn a_deployment_is_counted_once_under_each_state_in_which_it_rests() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    // All tasks of this test run in its own thread.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let platform = Platform::new("counted").await;
    let (control, owner) = (&platform.control, &platform.owner);
    let commit = platform.push('a');
    let gate = Gate::closed();
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let project = platform.project("Shop").await;

    // Called off while they wait: one by hand, one by the push that follows it.
    let (environment, by_hand) = platform.environment(&project).await;
    cancel_deployment(control, owner, by_hand.id).await.unwrap();
    platform.rebuild(environment.id).await;
    let built = platform.rebuild(environment.id).await;
    assert_eq!(counted(&metrics), expected([("cancelled", 2)]));

    // Called off while it is built.
    let server = platform.serve("one");
    gate.reached().await;
    cancel_deployment(control, owner, built.id).await.unwrap();
    platform.build_ended(built.id).await;

    // Failed, live, and failed after it was live.
    let commit = platform.push('b');
    platform.engine.script_build(&commit, BuildScript::ending(BuildResult::BuildFailed, "no"));
    platform.settled(platform.rebuild(environment.id).await.id).await;
    platform.push('c');
    let crashing = platform.settled(platform.rebuild(environment.id).await.id).await;
    platform.engine.set_app(crashing.id, AppState::Crashed { reason: "no luck".to_owned() });
    platform
        .until("the live app has failed", || async {
            let crashing = platform.deployment(crashing.id).await;
            matches!(crashing.state, DeploymentState::Failed { .. }).then_some(())
        })
        .await;

    // Two that are live, one after the other, until their environment ends.
    for _ in 0..2 {
        platform.settled(platform.rebuild(environment.id).await.id).await;
    }
    destroy_environment(control, owner, environment.id, Expected::Any).await.unwrap();
    let expected = expected([("cancelled", 3), ("failed", 2), ("live", 3), ("superseded", 2)]);
    platform
        .until("all of it is counted", || async { (counted(&metrics) == expected).then_some(()) })
        .await;
    server.stop().await;
    assert_eq!(counted(&metrics), expected);
}

fn expected<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(state, count)| (state.to_owned(), count)).collect()
}

/// How many deployments were counted under each state.
fn counted(metrics: &PrometheusHandle) -> BTreeMap<String, u64> {
    let text = metrics.render();
    let counts = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(r#"windlass_deployments_total{state=""#)?;
        let (state, count) = rest.split_once(r#""} "#)?;
        Some((state.to_owned(), count.parse().ok()?))
    });
    counts.collect()
}
