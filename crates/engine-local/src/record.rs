//! What is kept in files of builds and apps, so that it outlives the server and the supervisor.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use windlass_domain::{BuildId, DeploymentId, EnvironmentId};
use windlass_engine::{AppState, ObservedApp, RunningApp};
use windlass_engine_kit::recognise::StartHow;

use crate::confinement::Identity;

/// What a successful build left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Output {
    pub(crate) start: Start,
    /// Whose files they are.
    pub(crate) identity: Option<Identity>,
}

/// How an app is started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The folder of the workspace in which it starts.
    pub(crate) folder: String,
    /// Folders of the workspace that come first in `PATH`.
    pub(crate) paths: Vec<String>,
    pub(crate) how: StartHow,
    pub(crate) branch: String,
    pub(crate) commit: String,
}

/// An app, as its supervisor last saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AppRecord {
    pub(crate) deployment: DeploymentId,
    pub(crate) environment: EnvironmentId,
    pub(crate) build: BuildId,
    pub(crate) port: u16,
    pub(crate) status: AppStatus,
}

/// How an app is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum AppStatus {
    Starting,
    Running,
    Restarting { restarts: u32 },
    Crashed { reason: String },
    Stopped,
}

impl AppRecord {
    /// Where it listens.
    pub(crate) fn running(&self) -> RunningApp {
        RunningApp { addresses: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))] }
    }
}

impl From<&AppRecord> for ObservedApp {
    fn from(record: &AppRecord) -> Self {
        let state = match &record.status {
            AppStatus::Starting => AppState::Starting,
            AppStatus::Running => AppState::Running(record.running()),
            AppStatus::Restarting { restarts } => AppState::Restarting { restarts: *restarts },
            AppStatus::Crashed { reason } => AppState::Crashed { reason: reason.clone() },
            AppStatus::Stopped => AppState::Stopped,
        };
        Self {
            deployment: record.deployment,
            environment: record.environment,
            build: record.build,
            state,
        }
    }
}
