//! What builds, apps and tasks are told to do.

use std::{net::SocketAddr, sync::Arc};

use tokio::sync::watch;
use windlass_domain::{BuildResult, LogStream, Usage};

use crate::TaskResult;

/// What a build does: its steps in order, then it ends.
#[derive(Debug, Clone)]
pub struct BuildScript {
    pub(super) steps: Vec<Step>,
    pub(super) result: BuildResult,
    pub(super) message: String,
    pub(super) usage: Usage,
}

/// What an app does until it is healthy, or is not going to be.
#[derive(Debug, Clone, Default)]
pub struct AppScript {
    pub(super) steps: Vec<Step>,
    pub(super) refusal: Option<String>,
    pub(super) address: Option<SocketAddr>,
}

/// What a task does: its steps in order, then it ends.
#[derive(Debug, Clone)]
pub struct TaskScript {
    pub(super) steps: Vec<Step>,
    pub(super) result: TaskResult,
    pub(super) message: String,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Print(LogStream, String),
    Wait(Gate),
}

impl Default for BuildScript {
    fn default() -> Self {
        Self::built()
    }
}

impl BuildScript {
    /// A build that succeeds, having used one second of CPU.
    #[must_use]
    pub fn built() -> Self {
        Self {
            steps: Vec::new(),
            result: BuildResult::Built,
            message: String::new(),
            usage: Usage {
                cpu_micros: 1_000_000,
                peak_memory_bytes: 64 * 1024 * 1024,
                wall_millis: 1_000,
            },
        }
    }

    /// A build that ends like this.
    #[must_use]
    pub fn ending(result: BuildResult, message: &str) -> Self {
        Self { result, message: message.to_owned(), ..Self::built() }
    }

    /// Then it prints a line.
    #[must_use]
    pub fn print(mut self, text: &str) -> Self {
        self.steps.push(Step::Print(LogStream::Stdout, text.to_owned()));
        self
    }

    /// Then it waits.
    #[must_use]
    pub fn wait(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Wait(gate.clone()));
        self
    }

    /// What it will have used, however it ends.
    #[must_use]
    pub fn usage(self, usage: Usage) -> Self {
        Self { usage, ..self }
    }
}

impl AppScript {
    /// An app that becomes healthy.
    #[must_use]
    pub fn answering() -> Self {
        Self::default()
    }

    /// An app that does not become healthy: starting it is refused with this message.
    #[must_use]
    pub fn failing(message: &str) -> Self {
        Self { refusal: Some(message.to_owned()), ..Self::default() }
    }

    /// Where it answers, for tests that have something listen there.
    #[must_use]
    pub fn at(self, address: SocketAddr) -> Self {
        Self { address: Some(address), ..self }
    }

    /// Then it prints a line.
    #[must_use]
    pub fn print(mut self, text: &str) -> Self {
        self.steps.push(Step::Print(LogStream::Stdout, text.to_owned()));
        self
    }

    /// Then it waits.
    #[must_use]
    pub fn wait(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Wait(gate.clone()));
        self
    }
}

impl Default for TaskScript {
    fn default() -> Self {
        Self::ending(TaskResult::Succeeded, "")
    }
}

impl TaskScript {
    /// A task that ends like this.
    #[must_use]
    pub fn ending(result: TaskResult, message: &str) -> Self {
        Self { steps: Vec::new(), result, message: message.to_owned() }
    }

    /// Then it prints a line.
    #[must_use]
    pub fn print(mut self, text: &str) -> Self {
        self.steps.push(Step::Print(LogStream::Stdout, text.to_owned()));
        self
    }

    /// Then it waits.
    #[must_use]
    pub fn wait(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Wait(gate.clone()));
        self
    }
}

/// Something that scripts wait at until the test opens it; clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(Arc<watch::Sender<GateState>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct GateState {
    is_reached: bool,
    is_open: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self::closed()
    }
}

impl Gate {
    /// A gate that is closed.
    #[must_use]
    pub fn closed() -> Self {
        let closed = GateState { is_reached: false, is_open: false };
        Self(Arc::new(watch::Sender::new(closed)))
    }

    /// Lets everybody pass from now on.
    pub fn open(&self) {
        self.0.send_modify(|gate| gate.is_open = true);
    }

    /// Resolves once somebody waits here or has passed.
    pub async fn reached(&self) {
        self.until(|gate| gate.is_reached).await;
    }

    pub(super) async fn pass(&self) {
        self.0.send_modify(|gate| gate.is_reached = true);
        self.until(|gate| gate.is_open).await;
    }

    async fn until(&self, holds: impl Fn(&GateState) -> bool) {
        let mut gate = self.0.subscribe();
        // The sender lives as long as `self`.
        let _ = gate.wait_for(holds).await;
    }
}
