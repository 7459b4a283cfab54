//! From a presented session to who presents it.

use std::sync::Arc;

use async_trait::async_trait;
use windlass_auth::{
    CredentialKind, DirectoryError, Principal, SessionDirectory, SessionEntry, SessionError,
    SessionId, SessionKeys, session_key_of,
};
use windlass_domain::OrganizationId;
use windlass_storage::{Store, StoreError};

use crate::{Control, ControlError};

/// Sessions in the database.
pub(crate) struct StoreSessionDirectory {
    store: Arc<dyn Store>,
}

impl StoreSessionDirectory {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    async fn find(&self, id: SessionId) -> Result<Option<SessionEntry>, StoreError> {
        let mut uow = self.store.read().await?;
        let Some(record) = uow.sessions().find_of_everyone(id).await? else {
            return Ok(None);
        };
        let memberships = uow.organizations().memberships_of(record.user_id).await?;
        Ok(Some(SessionEntry { record, memberships }))
    }
}

#[async_trait]
impl SessionDirectory for StoreSessionDirectory {
    async fn find_session(&self, id: SessionId) -> Result<Option<SessionEntry>, DirectoryError> {
        self.find(id).await.map_err(DirectoryError::new)
    }
}

impl Control {
    /// Finds out who presents a session.
    pub(crate) async fn verify_session(
        &self,
        text: &str,
        organization: Option<OrganizationId>,
    ) -> Result<Arc<Principal>, ControlError> {
        let sessions = &self.inner.sessions;
        let verified = sessions.verify(text, organization).await;
        if matches!(verified, Err(SessionError::Invalid)) && self.lacks_session_key_of(text) {
            // Another server may have made a key since this one looked, or this one has just begun.
            self.load_signing_keys::<SessionKeys>().await?;
            return Ok(sessions.verify(text, organization).await?);
        }
        Ok(verified?)
    }

    fn lacks_session_key_of(&self, text: &str) -> bool {
        let keys = self.inner.sessions.keys();
        session_key_of(text).is_some_and(|named| keys.numbers().all(|known| known != named))
    }

    /// Writes down when sessions were last used: in batches, never on a request's path.
    pub(crate) async fn write_session_uses(&self) -> Result<(), ControlError> {
        let uses = self.inner.sessions.taken_uses();
        if uses.is_empty() {
            return Ok(());
        }
        let mut uow = self.store().write().await?;
        uow.sessions().note_seen(&uses).await?;
        uow.commit().await?;
        Ok(())
    }
}

impl From<SessionError> for ControlError {
    fn from(err: SessionError) -> Self {
        match err {
            SessionError::Invalid => Self::InvalidCredential(CredentialKind::Session),
            SessionError::WrongOrganization => Self::WrongOrganization,
            SessionError::Unavailable(_) => Self::Unavailable(Box::new(err)),
        }
    }
}
