//! Keeps the ingress in step with what is live.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use windlass_domain::{
    DeploymentId, Environment, EnvironmentId, EnvironmentState, HostLabel, PausedBy,
};
use windlass_engine::{AppState, Engine, EngineError};
use windlass_storage::{Store, StoreError};

use crate::ControlError;

/// What stands at the front door and sends requests to apps.
#[async_trait]
pub trait Routes: Send + Sync {
    /// Replaces the whole table at once.
    fn replace(&self, table: HashMap<HostLabel, RouteTarget>);

    /// Returns when no request to these addresses is under way any more, or when `at_most` has
    /// passed.
    async fn drained(&self, addresses: &[SocketAddr], at_most: Duration);

    /// To which hosts requests came since it was asked last, or are under way.
    fn take_visits(&self) -> HashSet<HostLabel>;
}

/// Where requests for a host go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteTarget {
    /// To an app.
    App(Vec<SocketAddr>),
    /// Nowhere yet: the app is on its way.
    Starting,
    /// Nowhere yet: an app that answered before is being started again, so that requests may wait.
    Waking,
    /// Nowhere: the environment rests, and a request wakes it.
    Asleep,
    /// Nowhere: the app has failed.
    Down,
    /// Nowhere: the environment is paused.
    Paused,
    /// Nowhere: the environment is being taken down.
    Stopped,
}

/// Why the routes stay as they are: each of the two that they are derived from fails in its own way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RouteError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<RouteError> for ControlError {
    fn from(err: RouteError) -> Self {
        match err {
            RouteError::Store(err) => err.into(),
            RouteError::Engine(err) => Self::Unavailable(Box::new(err)),
        }
    }
}

/// Derives the routes from the database and the engine.
pub(crate) struct RouteKeeper {
    store: Arc<dyn Store>,
    engine: Arc<dyn Engine>,
    routes: Arc<dyn Routes>,
    /// Held from looking to replacing, so that an older look never replaces a newer one.
    turn: tokio::sync::Mutex<()>,
    /// Apps that are about to be live: requests go to them a moment before the database says so,
    /// so that whoever reads that a deployment is live also meets its app.
    coming: Mutex<HashMap<EnvironmentId, DeploymentId>>,
    /// Apps that are being stopped: no request goes to them any more, whatever the database says
    /// by now and the engine still does.
    leaving: Mutex<HashSet<DeploymentId>>,
}

/// Sends an environment's requests to an app that is about to be live, until it is dropped.
pub(crate) struct Coming<'a> {
    keeper: &'a RouteKeeper,
    environment: EnvironmentId,
}

/// Keeps requests from an app that is being stopped, until it is dropped.
pub(crate) struct Leaving<'a> {
    keeper: &'a RouteKeeper,
    deployment: DeploymentId,
}

impl RouteKeeper {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        engine: Arc<dyn Engine>,
        routes: Arc<dyn Routes>,
    ) -> Self {
        Self {
            store,
            engine,
            routes,
            turn: tokio::sync::Mutex::default(),
            coming: Mutex::default(),
            leaving: Mutex::default(),
        }
    }

    /// Brings the routes up to date with everything committed before the call.
    pub(crate) async fn refresh(&self) -> Result<(), RouteError> {
        let _turn = self.turn.lock().await;
        // Before the database is read: what is not coming any more is written there by then.
        let coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let observed = self.engine.observe().await?;
        let states: HashMap<DeploymentId, AppState> =
            observed.into_iter().map(|app| (app.deployment, app.state)).collect();
        let mut uow = self.store.read().await?;
        let environments = uow.environments().list_present_of_everyone().await?;
        drop(uow);
        // After that: whatever has been wanted again since was leaving before.
        let leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner).clone();

        let route = |environment: Environment| {
            let coming = coming.get(&environment.id).copied();
            let wanted = coming.or(environment.live_deployment);
            let staying = wanted.filter(|wanted| !leaving.contains(wanted));
            let app = staying.and_then(|staying| states.get(&staying));
            let target = match (&environment.state, coming) {
                (EnvironmentState::Paused { by: PausedBy::Idleness }, None) => RouteTarget::Asleep,
                (EnvironmentState::Paused { by: PausedBy::Person }, None) => RouteTarget::Paused,
                (state, _) => target(state, app),
            };
            (environment.host, target)
        };
        self.routes.replace(environments.into_iter().map(route).collect());
        Ok(())
    }

    /// To which hosts requests came since it was asked last, or are under way.
    pub(crate) fn take_visits(&self) -> HashSet<HostLabel> {
        self.routes.take_visits()
    }

    /// Sends an environment's requests to an app that is about to be live.
    pub(crate) async fn switch(
        &self,
        environment: EnvironmentId,
        to: DeploymentId,
    ) -> Result<Coming<'_>, RouteError> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner).insert(environment, to);
        let coming = Coming { keeper: self, environment };
        self.refresh().await?;
        Ok(coming)
    }

    /// Keeps requests from an app that is about to be stopped.
    pub(crate) fn leave(&self, deployment: DeploymentId) -> Leaving<'_> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner).insert(deployment);
        Leaving { keeper: self, deployment }
    }

    /// Waits for the requests that are still under way to these addresses.
    pub(crate) async fn drained(&self, addresses: &[SocketAddr], at_most: Duration) {
        self.routes.drained(addresses, at_most).await;
    }
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let mut coming = self.keeper.coming.lock().unwrap_or_else(PoisonError::into_inner);
        coming.remove(&self.environment);
    }
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut leaving = self.keeper.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        leaving.remove(&self.deployment);
    }
}

fn target(environment: &EnvironmentState, app: Option<&AppState>) -> RouteTarget {
    match (app, environment) {
        (_, EnvironmentState::Destroying | EnvironmentState::Destroyed { .. }) => {
            RouteTarget::Stopped
        }
        (Some(AppState::Running(app)), _) => RouteTarget::App(app.addresses.clone()),
        (None | Some(AppState::Starting), EnvironmentState::Active) => RouteTarget::Waking,
        (Some(AppState::Starting | AppState::Restarting { .. }), _)
        | (
            None,
            EnvironmentState::Provisioning
            | EnvironmentState::Paused { .. }
            | EnvironmentState::Resetting,
        ) => RouteTarget::Starting,
        (Some(AppState::Crashed { .. } | AppState::Stopped), _)
        | (None, EnvironmentState::Failed { .. }) => RouteTarget::Down,
    }
}
