//! What is kept in files, so that it outlives the server and the supervisor.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use windlass_domain::{BuildId, BuildResult, DeploymentId, EnvironmentId, Usage};
use windlass_engine::{AppState, BuildReport, ObservedApp, RunningApp};

use crate::confinement::Identity;

/// What a build has used so far.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) cpu_micros: u64,
    pub(crate) peak_memory_bytes: u64,
    pub(crate) wall_millis: u64,
}

impl From<Measurement> for Usage {
    fn from(measured: Measurement) -> Self {
        let Measurement { cpu_micros, peak_memory_bytes, wall_millis } = measured;
        Self { cpu_micros, peak_memory_bytes, wall_millis }
    }
}

/// How a build ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// For good.
    Ended { result: ResultName, message: String, measured: Measurement, lines: u64 },
    /// Before it could begin, because something outside was not there.
    Unavailable { message: String },
}

/// A [`BuildResult`] by its name.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ResultName(pub(crate) BuildResult);

impl TryFrom<String> for ResultName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let known = BuildResult::ALL.into_iter().find(|result| result.name() == name);
        known.map(Self).ok_or_else(|| format!("`{name}` is no result of a build"))
    }
}

impl From<ResultName> for String {
    fn from(ResultName(result): ResultName) -> Self {
        result.name().to_owned()
    }
}

/// The report in the engine's terms.
pub(crate) fn report(
    ResultName(result): ResultName,
    message: String,
    measured: Measurement,
    lines: u64,
) -> BuildReport {
    BuildReport { result, message, usage: measured.into(), lines }
}

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

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StartHow {
    /// A shell command.
    Command(String),
    /// A web server of ours, on the first of these folders that has an `index.html`.
    Static(Vec<String>),
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

/// That a build or an app is to end.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StopOrder {
    pub(crate) grace_millis: u64,
}
