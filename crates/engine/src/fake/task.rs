//! One run of a task.

use std::sync::Arc;

use windlass_domain::{BuildId, Usage};

use super::{Inner, output::Output, script::TaskScript};
use crate::{TaskReport, TaskRequest, TaskResult};

/// What every task has used.
const USAGE: Usage =
    Usage { cpu_micros: 1_000, peak_memory_bytes: 16 * 1024 * 1024, wall_millis: 10 };

pub(super) struct TaskRun {
    request: TaskRequest,
    output: Output<TaskReport>,
}

impl TaskRun {
    pub(super) fn begin(
        script: TaskScript,
        request: &TaskRequest,
        engine: Arc<Inner>,
    ) -> Arc<Self> {
        let output = Output::new(request.first_line);
        let run = Arc::new(Self { request: request.clone(), output });
        tokio::spawn(play(Arc::clone(&run), script, engine));
        run
    }

    pub(super) fn output(&self) -> &Output<TaskReport> {
        &self.output
    }

    /// The build that it runs in, as long as it does.
    pub(super) fn uses(&self) -> Option<BuildId> {
        (!self.output.has_ended()).then_some(self.request.build)
    }

    /// Ends it, unless it has ended.
    pub(super) fn end(&self, result: TaskResult, message: &str) {
        let first = self.request.first_line;
        self.output.end(|lines| TaskReport {
            result,
            message: message.to_owned(),
            usage: USAGE,
            next_line: first + lines,
        });
    }
}

async fn play(run: Arc<TaskRun>, script: TaskScript, engine: Arc<Inner>) {
    let wall = run.request.wall;
    let steps = run.output.play(script.steps, &*engine.clock);
    if tokio::time::timeout(wall, steps).await.is_ok() {
        run.end(script.result, &script.message);
    } else {
        let message = format!("the task did not end within the {} s", wall.as_secs_f64());
        run.end(TaskResult::TimedOut, &message);
    }
}
