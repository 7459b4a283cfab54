//! Tasks: what only this engine knows about them.

use std::path::Path;

use async_trait::async_trait;
use windlass_engine::{EngineError, TaskId, TaskRequest};
use windlass_engine_kit::{faults::internal, files::remove, runs::Workshop, tasks::begin};

use super::{Shared, orders::write};

#[async_trait]
impl Workshop<TaskRequest> for Shared {
    async fn prepare(&self, request: &TaskRequest, folder: &Path) -> Result<Vec<u8>, EngineError> {
        let failed = || internal("preparing the task");
        let output = self.built(request.build)?;
        begin(folder, request).map_err(failed())?;
        write(&self.task_order(request, output).map_err(failed())?)
    }

    async fn clear(&self, task: TaskId) -> Result<(), EngineError> {
        self.hierarchy.group(&task.to_string()).remove().await;
        remove(self.layout.temp(task)).await
    }
}

impl Shared {
    pub(super) async fn forget_task(&self, task: TaskId) -> Result<(), EngineError> {
        self.tasks.forget(self, task).await?;
        Workshop::<TaskRequest>::clear(self, task).await
    }
}
