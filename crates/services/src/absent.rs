//! Where there are no backing services.

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use windlass_domain::Services;

use crate::{BackingServices, Place, ServiceError, Variable};

/// Stands where backing services cannot be had, and says why to whoever wants one.
#[derive(Debug, Clone)]
pub struct Absent {
    what: String,
    advice: String,
}

impl Absent {
    /// What is missing, and how to get it.
    #[must_use]
    pub fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: advice.into() }
    }

    fn missing(&self) -> ServiceError {
        ServiceError::Missing { what: self.what.clone(), advice: self.advice.clone() }
    }
}

#[async_trait]
impl BackingServices for Absent {
    async fn check(&self, wanted: Services) -> Result<(), ServiceError> {
        if wanted == Services::NONE { Ok(()) } else { Err(self.missing()) }
    }

    async fn provide(
        &self,
        _place: Place,
        wanted: Services,
    ) -> Result<Vec<Variable>, ServiceError> {
        self.check(wanted).await.map(|()| Vec::new())
    }

    async fn reset(&self, _place: Place) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn rest(&self, _place: Place) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn remove(&self, _place: Place) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn places(&self) -> Result<Vec<Place>, ServiceError> {
        Ok(Vec::new())
    }

    async fn stalled(&self) -> Result<Vec<Place>, ServiceError> {
        Ok(Vec::new())
    }

    async fn dump(
        &self,
        _place: Place,
        _to: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<u64, ServiceError> {
        Err(self.missing())
    }

    async fn restore(
        &self,
        _place: Place,
        _from: &mut (dyn AsyncRead + Unpin + Send),
    ) -> Result<(), ServiceError> {
        Err(self.missing())
    }
}
