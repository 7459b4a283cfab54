//! Tells which apps have changed.

use tokio::sync::broadcast;
use windlass_domain::DeploymentId;

/// How many changes a receiver may lag behind.
const CAPACITY: usize = 256;

/// Whoever wants to know of changes.
#[derive(Debug)]
pub struct Changes(broadcast::Sender<DeploymentId>);

impl Changes {
    /// Nobody listens yet.
    #[must_use]
    pub fn new() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }

    /// [`Engine::changes`](windlass_engine::Engine::changes).
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<DeploymentId> {
        self.0.subscribe()
    }

    /// Tells of an app that has changed.
    pub fn tell(&self, deployment: DeploymentId) {
        // Nobody may be listening.
        let _ = self.0.send(deployment);
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}
