//! What is kept in files, so that it outlives the server and the supervisor.

use serde::{Deserialize, Serialize};
use windlass_domain::{BuildResult, Usage};
use windlass_engine::{BuildReport, TaskReport, TaskResult};

/// What a build or a task has used so far.
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

/// How a build or a task ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome {
    /// For good.
    Ended(Ended),
    /// Before it could begin, because something outside was not there.
    Unavailable {
        /// What is not there, for people.
        message: String,
    },
}

/// How something ended for good.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ended {
    /// What came of it; a task that succeeded is as good as built.
    pub result: ResultName,
    /// Why it did not succeed, for people; empty where it did.
    pub message: String,
    /// What it used.
    pub measured: Measurement,
    /// The number after that of its last line.
    pub lines: u64,
}

/// Why something did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What came of it; `None` where something outside is not there now.
    pub result: Option<BuildResult>,
    /// Why, for people.
    pub message: String,
}

impl Failure {
    /// A failure for good.
    #[must_use]
    pub fn of(result: BuildResult, message: impl Into<String>) -> Self {
        Self { result: Some(result), message: message.into() }
    }
}

impl Outcome {
    /// What is reported once nothing runs any more and all lines are written.
    #[must_use]
    pub fn new(ended: Result<(), Failure>, measured: Measurement, lines: u64) -> Self {
        let (result, message) = match ended {
            Ok(()) => (BuildResult::Built, String::new()),
            Err(Failure { result: Some(result), message }) => (result, message),
            Err(Failure { result: None, message }) => return Self::Unavailable { message },
        };
        Self::Ended(Ended { result: ResultName(result), message, measured, lines })
    }
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

impl From<Ended> for BuildReport {
    fn from(ended: Ended) -> Self {
        let Ended { result: ResultName(result), message, measured, lines } = ended;
        Self { result, message, usage: measured.into(), lines }
    }
}

impl From<Ended> for TaskReport {
    fn from(ended: Ended) -> Self {
        let Ended { result: ResultName(result), message, measured, lines } = ended;
        let result = match result {
            BuildResult::Built => TaskResult::Succeeded,
            BuildResult::BuildFailed | BuildResult::ClientError => TaskResult::Failed,
            BuildResult::Cancelled => TaskResult::Cancelled,
            BuildResult::Timeout => TaskResult::TimedOut,
            BuildResult::MaxMemoryExceeded => TaskResult::OutOfMemory,
            BuildResult::InternalError => TaskResult::Lost,
        };
        Self { result, message, usage: measured.into(), next_line: lines }
    }
}

/// That a build, a task or an app is to end.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct StopOrder {
    /// How long it may take to end by itself, in milliseconds.
    pub grace_millis: u64,
}
