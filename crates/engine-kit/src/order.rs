//! What supervisors are told, in a form that can be written down.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use windlass_engine::{AppLimits, BuildLimits, Recipe, Variable};

/// What a process tree may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// CPUs, in thousandths.
    pub cpu_millis: u32,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Processes and threads at once.
    pub processes: u32,
    /// Disk space, in bytes; `None` where it is not limited.
    pub disk_bytes: Option<u64>,
}

/// What the project says about how it is built and started.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct RecipeOrder {
    /// Path of the Dockerfile, in the folder that is built.
    pub dockerfile: Option<String>,
    /// The folder in the repository that is built.
    pub build_context: Option<String>,
    /// Shell command that builds.
    pub build_command: Option<String>,
    /// Shell command that starts the app.
    pub start_command: Option<String>,
}

impl From<&BuildLimits> for Limits {
    fn from(limits: &BuildLimits) -> Self {
        let BuildLimits { cpu_millis, memory_bytes, processes, disk_bytes, .. } = *limits;
        Self { cpu_millis, memory_bytes, processes, disk_bytes: Some(disk_bytes) }
    }
}

impl From<&AppLimits> for Limits {
    fn from(limits: &AppLimits) -> Self {
        let AppLimits { cpu_millis, memory_bytes, processes, .. } = *limits;
        Self { cpu_millis, memory_bytes, processes, disk_bytes: None }
    }
}

impl From<&Recipe> for RecipeOrder {
    fn from(recipe: &Recipe) -> Self {
        Self {
            dockerfile: recipe.dockerfile.clone(),
            build_context: recipe.build_context.clone(),
            build_command: recipe.build_command.clone().map(Into::into),
            start_command: recipe.start_command.clone().map(Into::into),
        }
    }
}

/// The variables with their values: only for what goes over a pipe to whoever needs them.
#[must_use]
pub fn plain(variables: &[Variable]) -> Vec<(String, String)> {
    let pair = |variable: &Variable| {
        (variable.key.as_str().to_owned(), variable.value.expose_secret().to_owned())
    };
    variables.iter().map(pair).collect()
}

/// A time in milliseconds; one that is too long for that is as good as for ever.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A size for people.
#[must_use]
pub fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1024 * 1024))
}
