//! Daemons that cannot be used.

use windlass_engine::{Engine as _, EngineError};
use windlass_engine_swarm::{Endpoint, SwarmEngine};

use crate::site::Site;

#[tokio::test]
async fn a_daemon_that_is_not_there_is_told_so_and_keeps_nobody_from_starting() {
    let site = Site::new();
    let mut config = site.config();
    config.endpoint = Endpoint::Unix("/nonexistent/docker.sock".into());
    let engine = SwarmEngine::open(config).await.unwrap();
    let error = engine.check().await.unwrap_err();
    assert!(matches!(&error, EngineError::Unavailable(text) if text.contains("cannot be reached")));
    assert!(matches!(engine.observe().await, Err(EngineError::Unavailable(_))));
}

#[tokio::test]
async fn a_manager_of_a_swarm_is_fit() {
    let site = Site::new();
    let engine = site.engine().await;
    engine.check().await.unwrap();
    let warnings = engine.warnings().await;
    let is_of_old_docker = |it: &String| it.contains("`--no-new-privileges`");
    assert!(warnings.iter().all(is_of_old_docker), "{warnings:?}");
}
