//! From a presented token to who presents it.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use windlass_auth::{
    CredentialKind, DirectoryError, Principal, RootKeys, TokenDirectory, TokenEntry, TokenError,
    TokenId, TokenPurpose, TokenRecord, inspect,
};
use windlass_domain::Clock;
use windlass_storage::{Store, StoreError, UnitOfWork};

use crate::{Control, ControlError};

/// Tokens in the database.
pub(crate) struct StoreTokenDirectory {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl StoreTokenDirectory {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    async fn find(
        &self,
        id: TokenId,
        revocation_ids: &[String],
    ) -> Result<Option<TokenEntry>, StoreError> {
        let mut uow = self.store.read().await?;
        let Some(record) = uow.tokens().find_of_everyone(id).await? else {
            return Ok(None);
        };
        let creator_role =
            uow.organizations().role_of(record.organization_id, record.created_by).await?;
        let is_revoked = uow.tokens().has_revoked_block(id, revocation_ids).await?
            || !self.has_its_key(&mut *uow, &record).await?;
        Ok(Some(TokenEntry { record, creator_role, is_revoked }))
    }

    /// Whether the API key with which a link was made, if it was, still opens anything.
    async fn has_its_key(
        &self,
        uow: &mut dyn UnitOfWork,
        token: &TokenRecord,
    ) -> Result<bool, StoreError> {
        let TokenPurpose::Link { issuing_key: Some(key) } = token.purpose else {
            return Ok(true);
        };
        let key = uow.api_keys().find(token.organization_id, key).await?;
        Ok(key.is_some_and(|key| key.is_active(self.clock.now())))
    }
}

#[async_trait]
impl TokenDirectory for StoreTokenDirectory {
    async fn find_token(
        &self,
        id: TokenId,
        revocation_ids: &[String],
    ) -> Result<Option<TokenEntry>, DirectoryError> {
        self.find(id, revocation_ids).await.map_err(DirectoryError::new)
    }
}

impl Control {
    /// Finds out who presents a token, be it good for a link only.
    pub(crate) async fn verify_token(
        &self,
        text: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<Principal>, TokenError> {
        let verified = self.inner.tokens.verify_link(text, address).await;
        if matches!(verified, Err(TokenError::Invalid)) && self.lacks_root_key_of(text) {
            // Another server may have made a key since this one looked.
            self.load_signing_keys::<RootKeys>().await.map_err(DirectoryError::new)?;
            return self.inner.tokens.verify_link(text, address).await;
        }
        verified
    }

    fn lacks_root_key_of(&self, text: &str) -> bool {
        let named = inspect(text).ok().and_then(|inspection| inspection.root_key);
        let keys = self.inner.tokens.root_keys();
        named.is_some_and(|named| keys.numbers().all(|known| known != named))
    }
}

impl From<TokenError> for ControlError {
    fn from(err: TokenError) -> Self {
        match err {
            TokenError::Invalid => Self::InvalidCredential(CredentialKind::Token),
            TokenError::WrongAddress(_) => Self::WrongAddress(CredentialKind::Token),
            TokenError::Undecided(_) | TokenError::Unavailable(_) => {
                Self::Unavailable(Box::new(err))
            }
        }
    }
}
