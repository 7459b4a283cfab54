//! What a supervisor is told, over its standard input: it holds the project's secrets, so it never
//! touches a disk.

use std::{ffi::OsString, path::PathBuf};

use serde::{Deserialize, Serialize};
use windlass_domain::{BuildId, DeploymentId, EnvironmentId};
use windlass_engine_kit::{cgroup::Group, order::Limits};

use crate::{
    confinement::{Confinement, Identity},
    prepare::PrepareOrder,
    record::Start,
};

/// Everything that a supervisor does in its life.
#[derive(Serialize, Deserialize)]
pub(crate) enum Order {
    Build(Box<BuildOrder>),
    Task(Box<TaskOrder>),
    App(Box<AppOrder>),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct BuildOrder {
    pub(crate) build: BuildId,
    pub(crate) prepare: PrepareOrder,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) limits: Limits,
    pub(crate) wall_millis: u64,
    pub(crate) log_bytes: u64,
    pub(crate) place: Place,
    /// Fetching is limited like the build, and not metered with it.
    pub(crate) fetch_group: Group,
    /// A repository on this machine, which only the server's own user may be able to read.
    pub(crate) local_source: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct TaskOrder {
    pub(crate) start: Start,
    pub(crate) command: String,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) limits: Limits,
    pub(crate) wall_millis: u64,
    pub(crate) log_bytes: u64,
    pub(crate) place: Place,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AppOrder {
    pub(crate) deployment: DeploymentId,
    pub(crate) environment: EnvironmentId,
    pub(crate) build: BuildId,
    pub(crate) start: Start,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) port: u16,
    pub(crate) health_path: Option<String>,
    pub(crate) start_timeout_millis: u64,
    pub(crate) limits: Limits,
    pub(crate) log_bytes: u64,
    pub(crate) place: Place,
}

/// Where and as whom commands run.
#[derive(Serialize, Deserialize)]
pub(crate) struct Place {
    /// The folder that holds the workspace and the home.
    pub(crate) output: PathBuf,
    /// The folder that is `/tmp`.
    pub(crate) temp: PathBuf,
    pub(crate) group: Group,
    pub(crate) identity: Option<Identity>,
    pub(crate) confinement: Confinement,
    pub(crate) launcher: Launcher,
}

/// How the supervisor's own program is called again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Launcher {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}
