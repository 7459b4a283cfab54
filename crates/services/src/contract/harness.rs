//! What a provider brings to be tested.

use async_trait::async_trait;
use windlass_domain::Services;

use crate::{BackingServices, Variable};

/// A provider, and clients of what it provides.
///
/// Clients read the variables as an app does: [`Kind::Postgres`] `PGHOST`, `PGPORT`, `PGUSER`,
/// `PGPASSWORD` and `PGDATABASE`, [`Kind::Redis`] `REDIS_URL`, [`Kind::S3`] those that begin with
/// `S3_` or `AWS_`.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The provider; the same one every time, with no places at first.
    fn services(&self) -> &dyn BackingServices;

    /// What it can provide.
    fn kinds(&self) -> Vec<Kind>;

    /// Keeps a value under a name. Names and values are letters.
    async fn put(
        &self,
        kind: Kind,
        variables: &[Variable],
        name: &str,
        value: &str,
    ) -> Result<(), String>;

    /// Reads a value; the error is for a service that does not answer or does not let us in.
    async fn get(
        &self,
        kind: Kind,
        variables: &[Variable],
        name: &str,
    ) -> Result<Option<String>, String>;
}

/// A kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A PostgreSQL database.
    Postgres,
    /// A Redis server.
    Redis,
    /// An S3 bucket.
    S3,
}

impl Kind {
    /// Nothing but this.
    #[must_use]
    pub fn alone(self) -> Services {
        Services {
            postgres: self == Self::Postgres,
            redis: self == Self::Redis,
            s3: self == Self::S3,
        }
    }

    /// The variables that tell of it.
    #[must_use]
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => {
                &["DATABASE_URL", "PGDATABASE", "PGHOST", "PGPASSWORD", "PGPORT", "PGUSER"]
            }
            Self::Redis => &["REDIS_URL"],
            Self::S3 => &[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "S3_BUCKET",
                "S3_ENDPOINT",
                "S3_REGION",
            ],
        }
    }
}
