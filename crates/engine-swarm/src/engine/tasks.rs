//! Tasks: what only this engine knows about them.
//!
//! A task is a container of its own and no job of the swarm: when a manager is restarted, or a node
//! is gone, the swarm runs a job that has failed again, also with the restart condition `none` (seen
//! with Docker 28), and a task must never run twice. A container without a restart policy is started
//! by whoever says so and nobody else. Its name is the task's, so that there cannot be two, and it
//! stays until the task is forgotten. It runs where the daemon is that has built the image.

use std::{collections::BTreeSet, path::Path};

use async_trait::async_trait;
use bollard::query_parameters::{
    InspectContainerOptions, InspectNetworkOptions, ListContainersOptions, RemoveContainerOptions,
};
use windlass_domain::EnvironmentId;
use windlass_engine::{EngineError, TaskId, TaskRequest};
use windlass_engine_kit::{faults::internal, order::millis, runs::Workshop, tasks::begin};

use super::{Shared, spec};
use crate::{
    daemon::{daemon_error, found},
    names::{ENVIRONMENT, TASK, read},
    order::{Order, TaskOrder},
};

#[async_trait]
impl Workshop<TaskRequest> for Shared {
    async fn prepare(&self, request: &TaskRequest, folder: &Path) -> Result<Vec<u8>, EngineError> {
        let (image, origin) = self.built(request.build).await?;
        let image = image.id.unwrap_or_else(|| self.image_name(request.build));
        self.ensure_network(request.environment).await?;
        self.check_network(request.environment).await?;
        let group = self.group_for_builds(&self.info().await?, &request.task.to_string());
        begin(folder, request).map_err(internal("preparing the task"))?;
        let order = TaskOrder {
            name: self.config.namespace.container(request.task),
            container: spec::task(&self.config, request, image, &origin, group.path()),
            command: request.command.as_str().to_owned(),
            limits: (&request.limits).into(),
            wall_millis: millis(request.wall),
            log_bytes: request.limits.log_bytes,
            endpoint: self.config.endpoint.clone(),
            group,
        };
        serde_json::to_vec(&Order::Task(Box::new(order))).map_err(internal("writing an order"))
    }

    async fn clear(&self, task: TaskId) -> Result<(), EngineError> {
        let docker = self.daemon.docker().await?;
        let name = self.config.namespace.container(task);
        let seen = found(docker.inspect_container(&name, None::<InspectContainerOptions>).await)
            .map_err(daemon_error("looking for the container of a task"))?;
        let labels = seen.and_then(|seen| seen.config?.labels);
        if self.config.namespace.owns(labels.as_ref()) {
            let options = RemoveContainerOptions { force: true, v: true, link: false };
            found(docker.remove_container(&name, Some(options)).await)
                .map_err(daemon_error("removing the container of a task"))?;
        }
        self.group_for_builds(&self.info().await?, &task.to_string()).remove().await;
        if let Some(environment) = read(labels.as_ref(), ENVIRONMENT) {
            self.remove_network_of(environment).await;
        }
        Ok(())
    }
}

impl Shared {
    /// Whether containers can be on the network of an environment.
    async fn check_network(&self, environment: EnvironmentId) -> Result<(), EngineError> {
        let docker = self.daemon.docker().await?;
        let name = self.config.namespace.network(environment);
        let network = found(docker.inspect_network(&name, None::<InspectNetworkOptions>).await)
            .map_err(daemon_error("looking at a network"))?;
        if network.is_some_and(|network| network.attachable == Some(false)) {
            let text = "the network of this environment is of an older version and cannot be used \
                        by hooks: pause the environment and resume it, which makes another one";
            return Err(EngineError::Refused(text.to_owned()));
        }
        Ok(())
    }

    pub(super) async fn forget_task(&self, task: TaskId) -> Result<(), EngineError> {
        self.tasks.forget(self, task).await?;
        Workshop::<TaskRequest>::clear(self, task).await
    }

    /// Those with a folder here, and those of which only a container is left.
    pub(super) async fn kept_tasks(&self) -> Result<Vec<TaskId>, EngineError> {
        let docker = self.daemon.docker().await?;
        let filters = Some(self.config.namespace.filter(None));
        let options = ListContainersOptions { all: true, filters, ..Default::default() };
        let containers = docker
            .list_containers(Some(options))
            .await
            .map_err(daemon_error("looking for the containers of tasks"))?;
        let left = containers.iter().filter_map(|it| read(it.labels.as_ref(), TASK));
        let kept: BTreeSet<TaskId> = left.chain(self.tasks.kept()).collect();
        Ok(kept.into_iter().collect())
    }
}
