//! Calls that fail, and accidents, because the test wants them to.

use windlass_domain::BuildResult;

use super::FakeEngine;
use crate::{EngineError, TaskResult};

/// A method of [`Engine`](crate::Engine).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Engine::check`](crate::Engine::check).
    Check,
    /// [`Engine::resolve`](crate::Engine::resolve).
    Resolve,
    /// [`Engine::read_first`](crate::Engine::read_first).
    ReadFirst,
    /// [`Engine::build`](crate::Engine::build).
    Build,
    /// [`Engine::cancel_build`](crate::Engine::cancel_build).
    CancelBuild,
    /// [`Engine::forget_build`](crate::Engine::forget_build).
    ForgetBuild,
    /// [`Engine::kept_builds`](crate::Engine::kept_builds).
    KeptBuilds,
    /// [`Engine::remove_builds`](crate::Engine::remove_builds).
    RemoveBuilds,
    /// [`Engine::run_task`](crate::Engine::run_task).
    RunTask,
    /// [`Engine::cancel_task`](crate::Engine::cancel_task).
    CancelTask,
    /// [`Engine::forget_task`](crate::Engine::forget_task).
    ForgetTask,
    /// [`Engine::kept_tasks`](crate::Engine::kept_tasks).
    KeptTasks,
    /// [`Engine::start`](crate::Engine::start).
    Start,
    /// [`Engine::stop`](crate::Engine::stop).
    Stop,
    /// [`Engine::observe`](crate::Engine::observe).
    Observe,
    /// [`Engine::follow`](crate::Engine::follow).
    Follow,
    /// [`Engine::nodes`](crate::Engine::nodes).
    Nodes,
    /// [`Engine::admission`](crate::Engine::admission).
    Admission,
    /// [`Engine::rotate_admission`](crate::Engine::rotate_admission).
    RotateAdmission,
    /// [`Engine::set_availability`](crate::Engine::set_availability).
    SetAvailability,
    /// [`Engine::remove_node`](crate::Engine::remove_node).
    RemoveNode,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// With [`EngineError::Refused`].
    Refused,
    /// With [`EngineError::Unavailable`].
    Unavailable,
    /// With [`EngineError::Internal`].
    Internal,
}

impl From<Fault> for EngineError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused => Self::Refused("the test refuses it".to_owned()),
            Fault::Unavailable => Self::Unavailable("the test makes it unavailable".to_owned()),
            Fault::Internal => Self::Internal {
                context: "doing what the test told".to_owned(),
                source: "a fault of the test".into(),
            },
        }
    }
}

impl FakeEngine {
    /// Everything that runs is gone; what was built and written is still there.
    pub fn restart_machine(&self) {
        let (runs, tasks, apps) = {
            let mut state = self.state();
            (state.all_runs(), state.all_tasks(), state.take_apps())
        };
        for run in runs {
            run.end(BuildResult::InternalError, "the machine restarted");
        }
        for task in tasks {
            task.end(TaskResult::Lost, "the machine restarted");
        }
        for (deployment, app) in apps {
            app.stop("the machine restarted");
            self.inner.changed(deployment);
        }
    }

    /// Everything is gone, what was built and written, too.
    pub fn lose_disk(&self) {
        self.restart_machine();
        self.state().forget_everything();
    }
}
