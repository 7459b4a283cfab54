//! What Windlass asks of whatever gives apps a database, a cache and a bucket: the
//! [`BackingServices`] trait.
//!
//! Every environment has its own of each, and can reach nobody else's. Every call is idempotent
//! and keyed by our ids, so that a call repeated after a crash is safe. A provider knows nothing of
//! tenants, of Windlass's own database or of HTTP APIs, and it decides nothing: it is told.

mod absent;
#[cfg(feature = "test-util")]
pub mod contract;
#[cfg(feature = "test-util")]
pub mod fake;

pub use crate::absent::Absent;

use std::{error::Error, fmt};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use windlass_domain::{EnvironmentId, ProjectId, Services};
pub use windlass_engine::Variable;

/// Gives environments their PostgreSQL databases, Redis servers and S3 buckets.
///
/// Calls for one project wait for each other. A call that is dropped half-way leaves something that
/// the next call of any kind can go on from.
#[async_trait]
pub trait BackingServices: Send + Sync {
    /// Whether this can be had here; the error says what is missing and how to get it.
    async fn check(&self, wanted: Services) -> Result<(), ServiceError>;

    /// Makes sure that an environment's services run and are ready, and tells how they are reached:
    /// the same as before where they were there before, as far as their ports are still free.
    ///
    /// What it had before and does not want any more rests.
    async fn provide(&self, place: Place, wanted: Services) -> Result<Vec<Variable>, ServiceError>;

    /// Makes everything of an environment empty, as new. What rests goes on resting. Without effect
    /// where there is nothing.
    async fn reset(&self, place: Place) -> Result<(), ServiceError>;

    /// Stops what only this environment used; with the last active one of its project also what
    /// they shared. Data stays. Without effect where there is nothing.
    async fn rest(&self, place: Place) -> Result<(), ServiceError>;

    /// Removes an environment's data for good, and all of its project's with its last environment.
    /// Without effect where there is nothing.
    async fn remove(&self, place: Place) -> Result<(), ServiceError>;

    /// Which environments have anything here, running or not.
    async fn places(&self) -> Result<Vec<Place>, ServiceError>;

    /// Which environments were provided with something that has ended since by itself, as it does
    /// when the machine restarts. Cheap.
    async fn stalled(&self) -> Result<Vec<Place>, ServiceError>;

    /// Writes an environment's PostgreSQL database as `pg_dump --format=custom` does, and tells how
    /// many bytes that were. Other calls for the project need not wait for it; one that resets or
    /// removes the database makes it fail.
    async fn dump(
        &self,
        place: Place,
        to: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<u64, ServiceError>;

    /// Puts what [`BackingServices::dump`] wrote, of this or another environment, in the place of
    /// an environment's PostgreSQL database. Where that fails the database is as it was.
    async fn restore(
        &self,
        place: Place,
        from: &mut (dyn AsyncRead + Unpin + Send),
    ) -> Result<(), ServiceError>;
}

/// Whose services they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The project, which may share a server among its environments.
    pub project: ProjectId,
    /// The environment, which shares no data.
    pub environment: EnvironmentId,
}

/// Why backing services could not do what they were told.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The machine lacks something that its operator can install or set up. The text is for the
    /// operator, and harmless for the people of a project.
    #[error("{what} is missing: {advice}")]
    Missing {
        /// What.
        what: String,
        /// How to get it.
        advice: String,
    },
    /// What was asked for does not fit what is there; trying again does not help. The text is for
    /// the people of the project.
    #[error("{0}")]
    Refused(String),
    /// A server or a program failed, perhaps not the next time. The text is for the operator, not
    /// for tenants.
    #[error("{attempted} failed")]
    Unavailable {
        /// What was attempted.
        attempted: String,
        /// What went wrong.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ServiceError {
    /// Something failed for a reason: for `map_err`.
    pub fn unavailable<E: Into<Box<dyn Error + Send + Sync>>>(
        attempted: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let attempted = attempted.into();
        move |source| Self::Unavailable { attempted, source: source.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.environment, self.project)
    }
}
