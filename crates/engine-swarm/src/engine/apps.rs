//! Apps: started beside each other, stopped when told.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use bollard::{
    models::{Service, ServiceSpec, Task, TaskState},
    query_parameters::{
        InspectServiceOptions, ListContainersOptions, ListServicesOptions, ListTasksOptions,
        StopContainerOptions, UpdateServiceOptions,
    },
};
use futures_util::future::join_all;
use tokio::time::Instant;
use windlass_domain::{DeploymentId, EnvironmentId};
use windlass_engine::{AppRequest, EngineError, RunningApp};
use windlass_engine_kit::{
    faults::internal,
    health::{self, Way},
};

use super::{
    Shared,
    look::{App, address, end_of, has_ended, runs, task_state},
    spec::{Wanted, is_as_wanted, network},
};
use crate::{
    daemon::{daemon_error, found, status},
    names::{DEPLOYMENT, ENVIRONMENT, FIRST_LINE, HEALTHY, read},
    supervisor::credentials,
};

/// How long the swarm may take to begin, besides the time that the app has to become healthy.
const PLACING: Duration = Duration::from_mins(1);
/// How often the swarm is asked for a task that begins: it does not tell by itself.
const ASK_AFTER: Duration = Duration::from_millis(50);
const ASK_AT_MOST_EVERY: Duration = Duration::from_millis(400);
/// How long Docker may take to end an app, after its grace.
const END: Duration = Duration::from_secs(30);
const ENDED_SOON: Duration = Duration::from_millis(50);
/// How often something is tried again that somebody else has changed meanwhile.
pub(super) const ATTEMPTS: u32 = 5;
/// No fault of the app: it may be started again.
const STOPPED: &str = "the app was stopped while it started";

impl Shared {
    pub(super) async fn start(&self, request: &AppRequest) -> Result<RunningApp, EngineError> {
        check(request)?;
        let wanted = self.wanted(request).await?;
        self.ensure(&wanted).await?;
        self.changes.tell(request.deployment);
        let started = self.until_healthy(&wanted).await;
        match started {
            Ok(_) => self.changes.tell(request.deployment),
            Err(_) => self.stop(request.deployment, Duration::ZERO).await?,
        }
        started
    }

    async fn wanted<'a>(&self, request: &'a AppRequest) -> Result<Wanted<'a>, EngineError> {
        let (image, origin) = self.built(request.build).await?;
        let (reference, node) = if let Some(registry) = &self.config.registry {
            let place = self.config.namespace.repository(Some(&registry.address));
            let place = format!("{place}@");
            let digests = image.repo_digests.unwrap_or_default();
            (digests.into_iter().find(|digest| digest.starts_with(&place)), None)
        } else {
            (image.id, self.only_node_with_images().await?)
        };
        let reference = reference.ok_or_else(|| {
            let text = format!(
                "what {} built is not in this server's registry; build it again",
                request.build
            );
            EngineError::Refused(text)
        })?;
        Ok(Wanted { request, image: reference, origin, node })
    }

    /// Begins to start the app unless it is there as it is wanted.
    async fn ensure(&self, wanted: &Wanted<'_>) -> Result<(), EngineError> {
        let _guard = self.begin.lock().await;
        let deployment = wanted.request.deployment;
        let spec = wanted.service(&self.config, None);
        if let Some(service) = self.service(deployment).await? {
            let seen = self.look().await?;
            let is_dead = seen.apps.get(&deployment).is_some_and(App::is_given_up);
            let is_same = service.spec.as_ref().is_some_and(|found| is_as_wanted(found, &spec));
            if is_same && !is_dead {
                return Ok(());
            }
            if !is_dead {
                return self.update(deployment, |_| spec.clone()).await;
            }
            self.stop(deployment, Duration::ZERO).await?;
        }
        self.create(wanted.request.environment, &spec).await
    }

    async fn create(
        &self,
        environment: EnvironmentId,
        spec: &ServiceSpec,
    ) -> Result<(), EngineError> {
        let docker = self.daemon.docker().await?;
        let registry = self.config.registry.as_ref();
        let mut attempt = 0;
        loop {
            attempt += 1;
            self.ensure_network(environment).await?;
            let created = docker.create_service(spec.clone(), registry.and_then(credentials));
            match created.await {
                // Another server was quicker.
                Err(error) if status(&error) == Some(409) => return Ok(()),
                // The network has gone with the last app of the environment.
                Err(error) if status(&error) == Some(404) && attempt < ATTEMPTS => {}
                Err(error) => return Err(daemon_error("making a service")(error)),
                Ok(_) => return Ok(()),
            }
        }
    }

    pub(super) async fn ensure_network(
        &self,
        environment: EnvironmentId,
    ) -> Result<(), EngineError> {
        let docker = self.daemon.docker().await?;
        match docker.create_network(network(&self.config.namespace, environment)).await {
            Err(error) if status(&error) == Some(409) => Ok(()),
            done => done.map(drop).map_err(daemon_error("making a network")),
        }
    }

    /// A service, if it is there. One that is called like ours and is not is a fault.
    async fn service(&self, deployment: DeploymentId) -> Result<Option<Service>, EngineError> {
        let docker = self.daemon.docker().await?;
        let name = self.config.namespace.service(deployment);
        let service = found(docker.inspect_service(&name, None::<InspectServiceOptions>).await)
            .map_err(daemon_error("looking for a service"))?;
        let labels = |service: &Service| service.spec.as_ref()?.labels.clone();
        match service {
            Some(service) if !self.config.namespace.owns(labels(&service).as_ref()) => {
                let text = format!("the service {name} is not ours");
                Err(internal("Docker: looking for a service")(std::io::Error::other(text)))
            }
            service => Ok(service),
        }
    }

    /// Changes a service, from the version that was read.
    async fn update(
        &self,
        deployment: DeploymentId,
        change: impl Fn(&Service) -> ServiceSpec,
    ) -> Result<(), EngineError> {
        let docker = self.daemon.docker().await?;
        let name = self.config.namespace.service(deployment);
        let registry = self.config.registry.as_ref();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let Some(service) = self.service(deployment).await? else {
                return Err(EngineError::Unavailable(STOPPED.to_owned()));
            };
            let index = service.version.as_ref().and_then(|version| version.index).unwrap_or(0);
            let version = i32::try_from(index).unwrap_or(i32::MAX);
            let options = UpdateServiceOptions { version, ..UpdateServiceOptions::default() };
            let spec = change(&service);
            let credentials = registry.and_then(credentials);
            match docker.update_service(&name, spec, options, credentials).await {
                Ok(_) => return Ok(()),
                Err(_) if attempt < ATTEMPTS => {}
                Err(error) => return Err(daemon_error("changing a service")(error)),
            }
        }
    }

    async fn until_healthy(&self, wanted: &Wanted<'_>) -> Result<RunningApp, EngineError> {
        let request = wanted.request;
        let placed_by = Instant::now() + request.start_timeout + PLACING;
        let mut deadline = None;
        let mut pause = ASK_AFTER;
        let nodes = self.nodes().await?;
        let mut why = "the swarm has not begun to start it".to_owned();
        loop {
            let (service, mut tasks) = self.tasks(request.deployment).await?;
            // Those of a service that was changed are replaced.
            tasks.retain(|task| wanted.is_made_from(task));
            if let Some(task) = tasks.iter().find(|task| has_ended(task)) {
                let id = task.id.as_deref().unwrap_or_default();
                let reason = format!("the app ended before it was healthy: {}", end_of(task));
                return Err(EngineError::Refused(self.with_last_lines(&reason, id).await));
            }
            let running = tasks.iter().find(|task| runs(task));
            if let Some(task) = running
                && let (Some(id), Some(address)) = (&task.id, address(task, &nodes))
            {
                deadline.get_or_insert(Instant::now() + request.start_timeout);
                match self.ask(request, address).await {
                    Ok(()) => {
                        self.note_healthy(wanted, &service, id).await?;
                        return Ok(RunningApp { addresses: vec![address] });
                    }
                    Err(reason) => why = reason,
                }
            } else if let Some(task) = tasks.last() {
                why = format!("the swarm has not started it yet: {}", end_of(task));
            }
            if deadline.unwrap_or(placed_by) < Instant::now() {
                let seconds = request.start_timeout.as_secs_f64();
                let reason = format!("the app was not healthy after {seconds} s: {why}");
                let id = tasks.last().and_then(|task| task.id.clone()).unwrap_or_default();
                return Err(EngineError::Refused(self.with_last_lines(&reason, &id).await));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(ASK_AT_MOST_EVERY);
        }
    }

    async fn ask(&self, request: &AppRequest, address: SocketAddr) -> Result<(), String> {
        health::check(address, Way::Forwarded, request.health_path.as_deref()).await
    }

    /// A service with its tasks, the oldest first.
    async fn tasks(&self, deployment: DeploymentId) -> Result<(Service, Vec<Task>), EngineError> {
        let docker = self.daemon.docker().await?;
        let gone = || EngineError::Unavailable(STOPPED.to_owned());
        let service = self.service(deployment).await?.ok_or_else(gone)?;
        let id = service.id.clone().unwrap_or_default();
        let filters = Some(HashMap::from([("service".to_owned(), vec![id])]));
        let tasks = found(docker.list_tasks(Some(ListTasksOptions { filters })).await)
            .map_err(daemon_error("looking for tasks"))?;
        let mut tasks = tasks.ok_or_else(gone)?;
        tasks.sort_by_key(|task| task.created_at);
        Ok((service, tasks))
    }

    /// Has the swarm remember that the app was healthy: whoever looks later can tell it from one
    /// that has only begun.
    async fn note_healthy(
        &self,
        wanted: &Wanted<'_>,
        service: &Service,
        task: &str,
    ) -> Result<(), EngineError> {
        self.health.found_healthy(task);
        let labels = service.spec.as_ref().and_then(|spec| spec.labels.as_ref());
        if labels.is_some_and(|labels| labels.contains_key(HEALTHY)) {
            return Ok(());
        }
        // The same but for a label, so that no task is replaced.
        let first_line = |service: &Service| {
            let labels = service.spec.as_ref().and_then(|spec| spec.labels.as_ref());
            labels.and_then(|labels| labels.get(FIRST_LINE).cloned())
        };
        self.update(wanted.request.deployment, |service| {
            let mut spec = wanted.service(&self.config, Some(task));
            if let (Some(labels), Some(line)) = (&mut spec.labels, first_line(service)) {
                labels.insert(FIRST_LINE.to_owned(), line);
            }
            spec
        })
        .await
    }

    pub(super) async fn stop(
        &self,
        deployment: DeploymentId,
        grace: Duration,
    ) -> Result<(), EngineError> {
        let docker = self.daemon.docker().await?;
        let service = self.service(deployment).await?;
        let labels = service.as_ref().and_then(|it| it.spec.as_ref()?.labels.as_ref());
        let environment: Option<EnvironmentId> = read(labels, ENVIRONMENT);
        if service.is_some() {
            let name = self.config.namespace.service(deployment);
            found(docker.delete_service(&name).await)
                .map_err(daemon_error("removing a service"))?;
            self.changes.tell(deployment);
        }
        let id = service.and_then(|service| service.id);
        self.until_ended(deployment, id.as_deref(), grace).await?;
        self.finish_log(deployment).await?;
        if let Some(environment) = environment {
            self.remove_network_of(environment).await;
        }
        if id.is_some() {
            self.changes.tell(deployment);
        }
        Ok(())
    }

    /// Ends what runs of an app, and waits until nothing does on any node.
    async fn until_ended(
        &self,
        deployment: DeploymentId,
        service: Option<&str>,
        grace: Duration,
    ) -> Result<(), EngineError> {
        let docker = self.daemon.docker().await?;
        let id = deployment.to_string();
        let filters = Some(self.config.namespace.filter(Some((DEPLOYMENT, &id))));
        let running = ListContainersOptions { filters, ..ListContainersOptions::default() };
        let deadline = Instant::now() + grace + END;
        let patience = Some(i32::try_from(grace.as_secs()).unwrap_or(i32::MAX));
        loop {
            let containers = docker
                .list_containers(Some(running.clone()))
                .await
                .map_err(daemon_error("looking for containers"))?;
            if containers.is_empty() && !self.has_tasks(service).await? {
                return Ok(());
            }
            if deadline < Instant::now() {
                let late = std::io::Error::other("its containers do not end");
                return Err(internal("Docker: stopping an app")(late));
            }
            // The swarm does it, too, but waits for two seconds before.
            let ends =
                containers.iter().filter_map(|container| container.id.as_deref()).map(|id| {
                    let options = StopContainerOptions { signal: None, t: patience };
                    docker.stop_container(id, Some(options))
                });
            // One that has ended by itself is as good.
            let _ = tokio::time::timeout_at(deadline, join_all(ends)).await;
            tokio::time::sleep(ENDED_SOON).await;
        }
    }

    /// Whether tasks of a service that was removed run on other nodes, or are about to on this one,
    /// whose containers tell the rest sooner.
    async fn has_tasks(&self, service: Option<&str>) -> Result<bool, EngineError> {
        let Some(service) = service else { return Ok(false) };
        let here = self.info().await?.swarm.and_then(|swarm| swarm.node_id);
        let docker = self.daemon.docker().await?;
        let filters = Some(self.config.namespace.filter(None));
        let tasks = docker
            .list_tasks(Some(ListTasksOptions { filters }))
            .await
            .map_err(daemon_error("looking for tasks"))?;
        let nodes = self.nodes().await?;
        let is_its = |task: &&Task| task.service_id.as_deref() == Some(service);
        let is_elsewhere = |task: &Task| task.node_id != here;
        let is_known_here = |task: &Task| task_state(task) == Some(TaskState::RUNNING);
        // One whose node is lost has nobody who could say that it has ended.
        let may_run = |task: &Task| {
            let may_be = is_elsewhere(task) || !is_known_here(task);
            may_be && !has_ended(task) && !nodes.has_lost(task)
        };
        // Without a node, there is nothing that could run.
        let is_placed = |task: &&Task| task.node_id.is_some();
        Ok(tasks.iter().filter(is_its).filter(is_placed).any(may_run))
    }

    /// Removes the network of an environment that has no app any more. One that is still in use,
    /// or about to be, stays.
    pub(super) async fn remove_network_of(&self, environment: EnvironmentId) {
        let Ok(docker) = self.daemon.docker().await else { return };
        let id = environment.to_string();
        let filters = Some(self.config.namespace.filter(Some((ENVIRONMENT, &id))));
        let options = ListServicesOptions { filters, status: None };
        let services = docker.list_services(Some(options)).await;
        if services.is_ok_and(|services| services.is_empty()) {
            let name = self.config.namespace.network(environment);
            if let Err(error) = found(docker.remove_network(&name).await) {
                tracing::debug!(%error, "a network is still in use");
            }
        }
    }
}

/// What can be told before anything is asked of the swarm.
fn check(request: &AppRequest) -> Result<(), EngineError> {
    match &request.health_path {
        Some(path) if !health::is_path(path) => Err(EngineError::Refused(
            "health_path must begin with `/` and have neither blanks nor control characters"
                .to_owned(),
        )),
        Some(_) | None => Ok(()),
    }
}
