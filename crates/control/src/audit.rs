//! The audit log: a line for every change, in the unit of work of that change, and for every
//! refusal.

mod deed;
mod list;
mod refusals;

pub use self::list::list_audit_log;
pub(crate) use self::{deed::Deed, refusals::Refusals};

use std::sync::Arc;

use windlass_auth::{AuditOutcome, Principal};
use windlass_domain::Effects;
use windlass_storage::{StoreError, UnitOfWork};

use crate::{Caller, Control, ControlError, Occasion};

/// Writes down what was done: all of it is kept, or neither is.
pub(crate) async fn write_down(
    uow: &mut dyn UnitOfWork,
    deed: Deed,
    fx: Effects<'_>,
) -> Result<(), StoreError> {
    uow.audit().append(&[deed.entry(AuditOutcome::Done, fx)]).await
}

impl Control {
    /// Somebody who was identified, and what is asked for.
    #[must_use]
    pub fn caller(&self, principal: Arc<Principal>, occasion: Occasion) -> Caller {
        Caller { principal, occasion, refusals: Arc::clone(&self.inner.refusals) }
    }

    /// Writes down what was done, in the unit of work in which it was.
    pub(crate) async fn write_down(
        &self,
        uow: &mut dyn UnitOfWork,
        deed: Deed,
    ) -> Result<(), ControlError> {
        Ok(write_down(uow, deed, self.fx()).await?)
    }

    /// Writes down what was refused since the last time: in batches, never on a request's path.
    /// Credentials that nobody knows wait until `all` are wanted, so that they are few lines.
    pub(crate) async fn write_refusals(&self, all: bool) -> Result<(), ControlError> {
        let batch = self.inner.refusals.take(all);
        if batch.is_empty() {
            return Ok(());
        }
        let written = self.write_batch(&batch).await;
        if written.is_err() {
            self.inner.refusals.give_back(batch);
        }
        Ok(written?)
    }

    async fn write_batch(&self, batch: &refusals::Batch) -> Result<(), StoreError> {
        let mut uow = self.store().write().await?;
        let Some(first) = uow.organizations().first_of_everyone().await? else { return Ok(()) };
        uow.audit().append(&batch.entries(first.id)).await?;
        uow.commit().await
    }
}
