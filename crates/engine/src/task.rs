//! Tasks: commands that are run once in what a build made, before its app gets requests.

use std::{fmt, str::FromStr, time::Duration};

use windlass_domain::{BuildId, CommandLine, DeploymentId, EnvironmentId, Hook, Usage};

use crate::{AppLimits, Variable};

/// Names a task: a deployment has one for each hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The deployment.
    pub deployment: DeploymentId,
    /// The hook.
    pub hook: Hook,
}

/// The text names no task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the id of a deployment, a dot and the name of a hook")]
pub struct ParseTaskIdError;

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.deployment, self.hook)
    }
}

impl FromStr for TaskId {
    type Err = ParseTaskIdError;

    fn from_str(text: &str) -> Result<Self, ParseTaskIdError> {
        let (deployment, hook) = text.split_once('.').ok_or(ParseTaskIdError)?;
        let deployment = deployment.parse().map_err(|_| ParseTaskIdError)?;
        let hook = hook.parse().map_err(|_| ParseTaskIdError)?;
        Ok(Self { deployment, hook })
    }
}

/// Which task to run, and within which limits.
#[derive(Debug, Clone)]
pub struct TaskRequest {
    /// Names the task; the same request may come again.
    pub task: TaskId,
    /// The environment it is for.
    pub environment: EnvironmentId,
    /// The build whose files it finds.
    pub build: BuildId,
    /// Shell command that is run.
    pub command: CommandLine,
    /// The variables of the app.
    pub variables: Vec<Variable>,
    /// What it may use; of its output, what is printed beyond the limit is dropped, with a line
    /// that says so.
    pub limits: AppLimits,
    /// Wall-clock time.
    pub wall: Duration,
    /// The number of the first line that it will print, so that it goes on with a log.
    pub first_line: u64,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskReport {
    /// What came of it.
    pub result: TaskResult,
    /// Why it did not succeed, for people; empty where it did.
    pub message: String,
    /// What the whole process tree used.
    pub usage: Usage,
    /// The number after that of its last line, for whoever goes on with the log.
    pub next_line: u64,
}

/// What came of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskResult {
    /// It ended with exit status 0.
    Succeeded,
    /// It ended otherwise, or could not be started; the message tells the exit status.
    Failed,
    /// It used up its time.
    TimedOut,
    /// It used more memory than it was allowed.
    OutOfMemory,
    /// Somebody called it off.
    Cancelled,
    /// An accident or a fault of ours ended it. How far it had come, nobody knows.
    Lost,
}

#[cfg(test)]
mod tests {
    use windlass_domain::{
        DeploymentId, Hook,
        test_util::{CountingEntropy, ManualClock},
    };

    use super::TaskId;

    #[test]
    fn the_name_of_a_task_is_read_again_and_no_other() {
        let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
        let deployment = DeploymentId::generate(entropy.with(&clock));
        for hook in Hook::ALL {
            let task = TaskId { deployment, hook };
            assert_eq!(task.to_string().parse(), Ok(task));
        }
        for other in [&format!("{deployment}"), &format!("{deployment}.fetch"), "x.on_new", ""] {
            assert!(other.parse::<TaskId>().is_err(), "{other}");
        }
    }
}
