//! What is known of a project's environments: noted before it is made, dropped after it is gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use windlass_domain::{EnvironmentId, Services};

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProjectRecord {
    pub(crate) environments: BTreeMap<EnvironmentId, EnvironmentRecord>,
}

/// An environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EnvironmentRecord {
    /// What it may have data of.
    pub(crate) has: Services,
    /// What is to run.
    pub(crate) active: Services,
}

impl ProjectRecord {
    pub(crate) fn of(&self, environment: EnvironmentId) -> EnvironmentRecord {
        self.environments.get(&environment).copied().unwrap_or_default()
    }

    /// Whether any environment needs the project's PostgreSQL.
    pub(crate) fn needs_postgres(&self) -> bool {
        self.environments.values().any(|environment| environment.active.postgres)
    }

    /// Whether any environment has data in the project's PostgreSQL.
    pub(crate) fn has_postgres(&self) -> bool {
        self.environments.values().any(|environment| environment.has.postgres)
    }
}

/// What is in either.
pub(crate) fn both(one: Services, other: Services) -> Services {
    Services {
        postgres: one.postgres || other.postgres,
        redis: one.redis || other.redis,
        s3: one.s3 || other.s3,
    }
}
