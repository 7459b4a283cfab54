//! Gives environments their databases, Redis servers and buckets, and takes them away.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio_util::sync::CancellationToken;
use windlass_domain::{
    DeploymentState, Environment, EnvironmentId, EnvironmentState, OrganizationId, PageRequest,
    Services,
};
use windlass_engine::Variable;
use windlass_services::{BackingServices, Place, ServiceError};
use windlass_storage::{StoreError, UnitOfWork};

use crate::{
    Causes, Control, ControlError,
    worker::{self, LoadError},
};

/// How often is looked whether what environments need runs, and nothing else.
const TEND: Duration = Duration::from_secs(30);

/// Why an environment's services are not as they should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TendError {
    /// The services failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else failed.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// Backing services, with a turn for each environment: whoever provides or takes away looks first
/// at what is wanted, and that must still be true when it is done.
pub(crate) struct Backing {
    services: Arc<dyn BackingServices>,
    turns: Mutex<HashMap<EnvironmentId, Weak<tokio::sync::Mutex<()>>>>,
}

impl Backing {
    pub(crate) fn new(services: Arc<dyn BackingServices>) -> Self {
        Self { services, turns: Mutex::default() }
    }

    fn turn(&self, id: EnvironmentId) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&id).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() != 0);
        let turn = Arc::default();
        turns.insert(id, Arc::downgrade(&turn));
        turn
    }
}

fn place(environment: &Environment) -> Place {
    Place { project: environment.project_id, environment: environment.id }
}

impl Control {
    fn services(&self) -> &dyn BackingServices {
        &*self.inner.backing.services
    }

    /// Whether this can be had at all.
    pub(crate) async fn check_services(&self, wanted: Services) -> Result<(), ServiceError> {
        self.services().check(wanted).await
    }

    /// Makes sure that what an environment's app asks for is there, and tells how it is reached.
    pub(crate) async fn provide_services(
        &self,
        environment: &Environment,
        wanted: Services,
    ) -> Result<Vec<Variable>, ServiceError> {
        let turn = self.inner.backing.turn(environment.id);
        let _turn = turn.lock().await;
        self.services().provide(place(environment), wanted).await
    }

    /// Stops what an environment's app asked for, unless it is in use by now.
    pub(crate) async fn rest_services(&self, environment: &Environment) -> Result<(), TendError> {
        let turn = self.inner.backing.turn(environment.id);
        let _turn = turn.lock().await;
        let mut uow = self.store().read().await?;
        let (organization, id) = (environment.organization_id, environment.id);
        let now = uow.environments().find(organization, id).await?;
        let in_use = match now {
            Some(now) => is_in_use(&mut *uow, organization, &now).await?,
            None => false,
        };
        drop(uow);
        if in_use {
            return Ok(());
        }
        Ok(self.services().rest(place(environment)).await?)
    }

    /// Removes what an environment's services hold, and leaves them as new.
    pub(crate) async fn empty_services(
        &self,
        environment: &Environment,
    ) -> Result<(), ServiceError> {
        let turn = self.inner.backing.turn(environment.id);
        let _turn = turn.lock().await;
        self.services().reset(place(environment)).await
    }

    /// Removes an environment's services with all that they hold.
    pub(crate) async fn remove_services(
        &self,
        environment: &Environment,
    ) -> Result<(), ServiceError> {
        let turn = self.inner.backing.turn(environment.id);
        let _turn = turn.lock().await;
        self.services().remove(place(environment)).await
    }

    pub(crate) async fn tend_services_until(&self, stop: &CancellationToken) {
        loop {
            if let Err(err) = self.tend_services().await {
                tracing::warn!(error = %Causes(&err), "cannot look after backing services");
            }
            if stop.run_until_cancelled(tokio::time::sleep(TEND)).await.is_none() {
                return;
            }
        }
    }

    /// Starts again what has ended by itself while its environment needs it, and stops what none
    /// needs. What belongs to an environment that the database does not know is left alone: it
    /// may be another database's.
    async fn tend_services(&self) -> Result<(), TendError> {
        let places = self.services().places().await?;
        if places.is_empty() {
            return Ok(());
        }
        let stalled: HashSet<Place> = self.services().stalled().await?.into_iter().collect();
        let mut uow = self.store().read().await?;
        let present = uow.environments().list_present_of_everyone().await?;
        drop(uow);
        let present: HashMap<EnvironmentId, Environment> =
            present.into_iter().map(|environment| (environment.id, environment)).collect();
        for place in places {
            let Some(environment) = present.get(&place.environment) else { continue };
            let tended = if environment.state != EnvironmentState::Active {
                self.rest_services(environment).await
            } else if stalled.contains(&place) {
                self.start_services_again(environment).await
            } else {
                Ok(())
            };
            if let Err(err) = tended {
                tracing::warn!(%place, error = %Causes(&err), "backing services stay as they are");
            }
        }
        Ok(())
    }

    async fn start_services_again(&self, environment: &Environment) -> Result<(), TendError> {
        let Some(live) = environment.live_deployment else { return Ok(()) };
        let wanted = match worker::wanted_services(self, environment.organization_id, live).await {
            Ok(wanted) => wanted,
            Err(LoadError::Gone) => return Ok(()),
            Err(LoadError::Control(err)) => return Err(err.into()),
            Err(LoadError::Service(err)) => return Err(err.into()),
        };
        tracing::warn!(environment.id = %environment.id, "backing services have ended: starting them again");
        self.provide_services(environment, wanted).await?;
        Ok(())
    }
}

/// Whether an app of an environment runs, or is about to.
async fn is_in_use(
    uow: &mut dyn UnitOfWork,
    organization: OrganizationId,
    environment: &Environment,
) -> Result<bool, StoreError> {
    if matches!(environment.state, EnvironmentState::Active | EnvironmentState::Resetting) {
        return Ok(true);
    }
    // One at a time, and hardly anything waits behind it.
    let newest = PageRequest::new(None, Some(100)).unwrap_or_default();
    let newest = uow.deployments().list(organization, environment.id, newest).await?;
    Ok(newest.items.iter().any(|deployment| deployment.state == DeploymentState::Deploying))
}
