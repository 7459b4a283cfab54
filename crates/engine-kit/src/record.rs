//! What is kept in files, so that it outlives the server and the supervisor.

use serde::{Deserialize, Serialize};
use windlass_domain::{BuildResult, Usage};
use windlass_engine::BuildReport;

/// What a build has used so far.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Measurement {
    /// CPU time, in microseconds.
    pub cpu_micros: u64,
    /// The most memory used at once, in bytes.
    pub peak_memory_bytes: u64,
    /// Time on the clock, in milliseconds.
    pub wall_millis: u64,
}

impl From<Measurement> for Usage {
    fn from(measured: Measurement) -> Self {
        let Measurement { cpu_micros, peak_memory_bytes, wall_millis } = measured;
        Self { cpu_micros, peak_memory_bytes, wall_millis }
    }
}

/// How a build ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome {
    /// For good.
    Ended {
        /// What came of it.
        result: ResultName,
        /// Why it did not succeed, for people; empty where it did.
        message: String,
        /// What it used.
        measured: Measurement,
        /// How many lines it printed.
        lines: u64,
    },
    /// Before it could begin, because something outside was not there.
    Unavailable {
        /// What is not there, for people.
        message: String,
    },
}

/// A [`BuildResult`] by its name.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResultName(pub BuildResult);

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

/// That a build or an app is to end.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct StopOrder {
    /// How long it may take to end by itself, in milliseconds.
    pub grace_millis: u64,
}
