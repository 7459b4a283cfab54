//! Repository of the usage ledger.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_domain::{OrganizationId, ProjectId, UsageEvent, UsageTotals};

use crate::StoreError;

/// Stores the usage ledger: entries are added, never changed.
#[async_trait]
pub trait UsageRepo: Send {
    /// Adds an entry. Fails with [`StoreError::Taken`] (`"build"`) when the build has one.
    async fn insert(&mut self, event: &UsageEvent) -> Result<(), StoreError>;

    /// Sums over `from <= at < to`; an absent end is open. `only` limits it to these projects.
    async fn totals(
        &mut self,
        organization: OrganizationId,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        only: Option<&[ProjectId]>,
    ) -> Result<UsageTotals, StoreError>;
}
