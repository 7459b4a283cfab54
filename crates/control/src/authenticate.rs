//! Turns a presented credential into a principal.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use windlass_auth::{DirectoryError, KeyDirectory, KeyEntry, Principal};
use windlass_storage::{Signal, Store, StoreError};

use crate::{Control, ControlError};

/// API keys in the database.
pub(crate) struct StoreKeyDirectory {
    store: Arc<dyn Store>,
}

impl StoreKeyDirectory {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    async fn find(&self, lookup: &str) -> Result<Option<KeyEntry>, StoreError> {
        let mut uow = self.store.read().await?;
        let Some(record) = uow.api_keys().find_by_lookup_of_everyone(lookup).await? else {
            return Ok(None);
        };
        let creator_role =
            uow.organizations().role_of(record.organization_id, record.created_by).await?;
        Ok(Some(KeyEntry { record, creator_role }))
    }
}

#[async_trait]
impl KeyDirectory for StoreKeyDirectory {
    async fn find_key(&self, lookup: &str) -> Result<Option<KeyEntry>, DirectoryError> {
        self.find(lookup).await.map_err(DirectoryError::new)
    }
}

impl Control {
    /// Finds out to whom a presented credential belongs.
    pub async fn authenticate(&self, presented: &str) -> Result<Arc<Principal>, ControlError> {
        Ok(self.inner.verifier.verify(presented).await?)
    }

    /// Forgets what was verified as soon as a key changes, here or on another server.
    pub(crate) async fn follow_key_changes(&self, stop: &CancellationToken) {
        let mut signals = self.store().signals();
        while let Some(signal) = stop.run_until_cancelled(signals.recv()).await {
            match signal {
                Ok(Signal::ApiKey(id)) => self.inner.verifier.forget(id),
                Ok(Signal::Anything) | Err(RecvError::Lagged(_)) => {
                    self.inner.verifier.forget_all();
                }
                Ok(
                    Signal::Jobs | Signal::Log(_) | Signal::Deployment(_) | Signal::Environment(_),
                ) => {}
                Err(RecvError::Closed) => break,
            }
        }
    }

    /// Writes down when keys were last used: in batches, never on a request's path.
    pub(crate) async fn write_key_uses(&self) -> Result<(), ControlError> {
        let uses = self.inner.verifier.taken_uses();
        if uses.is_empty() {
            return Ok(());
        }
        let mut uow = self.store().write().await?;
        uow.api_keys().note_used(&uses).await?;
        uow.commit().await?;
        Ok(())
    }
}
