//! The container of a task: made and started once, read until it has ended.

use std::time::Duration;

use bollard::{
    Docker,
    errors::Error,
    models::{ContainerCreateBody, ContainerState, ContainerStateStatusEnum},
    query_parameters::{
        CreateContainerOptions, InspectContainerOptions, KillContainerOptions, LogsOptions,
        RemoveContainerOptions, StartContainerOptions,
    },
};
use futures_util::StreamExt as _;
use windlass_engine_kit::log::Log;

use crate::{
    daemon::{found, status},
    lines::{Place, Taker},
};

/// How often Docker is asked for what it should have told by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const LOOK_AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// Lines that come together are written together.
const TOGETHER: usize = 256;

/// How a container came to be there.
pub(super) enum Created {
    Now,
    /// There was one that has been started at some time.
    Before,
}

/// A container by its name, and how far its log was copied.
pub(super) struct Container {
    docker: Docker,
    name: String,
    log: Log,
    place: Place,
}

impl Container {
    pub(super) fn new(docker: Docker, name: &str, log: Log) -> Self {
        Self { docker, name: name.to_owned(), log, place: Place::default() }
    }

    /// Makes it, unless there is one that was started already.
    pub(super) async fn create(&self, body: &ContainerCreateBody) -> Result<Created, Error> {
        let create = || {
            let name = Some(self.name.clone());
            let options = CreateContainerOptions { name, ..CreateContainerOptions::default() };
            self.docker.create_container(Some(options), body.clone())
        };
        match create().await {
            Err(error) if status(&error) == Some(409) => {}
            done => return done.map(|_| Created::Now),
        }
        if !self.was_never_started().await {
            return Ok(Created::Before);
        }
        self.remove().await;
        create().await.map(|_| Created::Now)
    }

    pub(super) async fn start(&self) -> Result<(), Error> {
        self.docker.start_container(&self.name, None::<StartContainerOptions>).await
    }

    /// Whether it is certain that its command has not begun.
    pub(super) async fn was_never_started(&self) -> bool {
        let status = self.state().await.map(|state| state.and_then(|state| state.status));
        matches!(status, Ok(Some(ContainerStateStatusEnum::CREATED)))
    }

    /// Ends it with all that it has started. One that has ended already is as good.
    pub(super) async fn kill(&self) {
        let _ = self.docker.kill_container(&self.name, None::<KillContainerOptions>).await;
    }

    pub(super) async fn remove(&self) {
        let options = RemoveContainerOptions { force: true, v: true, link: false };
        let _ = self.docker.remove_container(&self.name, Some(options)).await;
    }

    /// Copies its lines until it has ended, and all lines are there; `None` where it is not there
    /// any more. A daemon that is away is waited for: containers can outlive it.
    pub(super) async fn until_ended(&mut self) -> Option<ContainerState> {
        let mut pause = LOOK_AGAIN;
        loop {
            // What was printed before it ended is read after that was seen.
            let seen = self.state().await;
            self.copy().await;
            match seen {
                Ok(Some(state)) if state.running != Some(true) => return Some(state),
                Ok(None) => return None,
                Ok(Some(_)) | Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LOOK_AT_MOST_EVERY);
        }
    }

    async fn state(&self) -> Result<Option<ContainerState>, Error> {
        let options = None::<InspectContainerOptions>;
        let seen = found(self.docker.inspect_container(&self.name, options).await)?;
        Ok(seen.map(|seen| seen.state.unwrap_or_default()))
    }

    /// Copies its lines as they come, from where that was left on; Docker ends its answer with the
    /// container.
    async fn copy(&mut self) {
        let options = LogsOptions {
            follow: true,
            stdout: true,
            stderr: true,
            timestamps: true,
            since: i32::try_from(self.place.micros / 1_000_000).unwrap_or(0),
            ..LogsOptions::default()
        };
        let frames = self.docker.logs(&self.name, Some(options));
        let mut frames = Box::pin(frames.ready_chunks(TOGETHER));
        let mut taker = Taker::new(&self.name, self.place);
        while let Some(batch) = frames.next().await {
            let mut spool = self.log.lock();
            for frame in batch.into_iter().flatten() {
                taker.take(&frame, &mut spool);
            }
            // A log that can't be written is no reason to end what it is about.
            let _ = spool.flush();
            self.place = taker.place;
        }
        let mut spool = self.log.lock();
        taker.end(&mut spool);
        let _ = spool.flush();
        self.place = taker.place;
    }
}
