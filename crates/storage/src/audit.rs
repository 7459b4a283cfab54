//! Repository of the audit log.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_auth::{AuditEntry, AuditEntryId, AuditOutcome};
use windlass_domain::{OrganizationId, Page, PageRequest};

use crate::StoreError;

/// Which lines of an audit log are wanted; what is absent does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Those of this person, or of this credential.
    pub actor: Option<String>,
    /// Those of this use case.
    pub action: Option<String>,
    /// Those that came to this.
    pub outcome: Option<AuditOutcome>,
    /// Those about this thing.
    pub target: Option<String>,
    /// Those from this time on.
    pub from: Option<DateTime<Utc>>,
    /// Those before this time.
    pub to: Option<DateTime<Utc>>,
}

/// Stores what was done and what was refused. A line is never changed.
#[async_trait]
pub trait AuditRepo: Send {
    /// Adds lines.
    async fn append(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError>;

    /// Lists lines, newest first.
    async fn list(
        &mut self,
        organization: OrganizationId,
        filter: &AuditFilter,
        page: PageRequest<AuditEntryId>,
    ) -> Result<Page<AuditEntry>, StoreError>;

    /// Removes the lines from before a time.
    async fn prune_of_everyone(&mut self, before: DateTime<Utc>) -> Result<(), StoreError>;
}
