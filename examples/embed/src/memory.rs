//! Where this service keeps things; in earnest this is a database.

use std::collections::HashMap;

use async_trait::async_trait;
use tokio::sync::Mutex;
use windlass_auth::{
    ApiKeyId, ApiKeyRecord, Clock as _, DirectoryError, KeyDirectory, KeyEntry, Membership,
    OrganizationId, ProjectId, Role, SystemClock, TokenDirectory, TokenEntry, TokenId, TokenRecord,
    UserId,
};

#[derive(Default)]
pub(crate) struct Memory {
    roles: Mutex<HashMap<(OrganizationId, UserId), Role>>,
    keys: Mutex<HashMap<String, ApiKeyRecord>>,
    tokens: Mutex<HashMap<TokenId, TokenRecord>>,
    notes: Mutex<HashMap<(OrganizationId, ProjectId), String>>,
}

#[async_trait]
impl KeyDirectory for Memory {
    async fn find_key(&self, lookup: &str) -> Result<Option<KeyEntry>, DirectoryError> {
        let Some(record) = self.keys.lock().await.get(lookup).cloned() else { return Ok(None) };
        let creator_role = self.role(record.organization_id, record.created_by).await;
        Ok(Some(KeyEntry { record, creator_role }))
    }
}

#[async_trait]
impl TokenDirectory for Memory {
    async fn find_token(
        &self,
        id: TokenId,
        // Here a token is revoked as a whole, and not only what one of its holders has made of it.
        _revocation_ids: &[String],
    ) -> Result<Option<TokenEntry>, DirectoryError> {
        let Some(record) = self.tokens.lock().await.get(&id).cloned() else { return Ok(None) };
        let creator_role = self.role(record.organization_id, record.created_by).await;
        Ok(Some(TokenEntry { record, creator_role, is_revoked: false }))
    }
}

impl Memory {
    async fn role(&self, organization: OrganizationId, user: UserId) -> Option<Role> {
        self.roles.lock().await.get(&(organization, user)).copied()
    }

    pub(crate) async fn let_in(&self, member: Membership) {
        let person = (member.organization_id, member.user_id);
        self.roles.lock().await.insert(person, member.role);
    }

    pub(crate) async fn add_key(&self, key: ApiKeyRecord) {
        self.keys.lock().await.insert(key.lookup.clone(), key);
    }

    pub(crate) async fn revoke_key(&self, id: ApiKeyId) {
        let mut keys = self.keys.lock().await;
        if let Some(key) = keys.values_mut().find(|key| key.id == id) {
            key.revoked_at = Some(SystemClock.now());
        }
    }

    pub(crate) async fn add_token(&self, token: TokenRecord) {
        self.tokens.lock().await.insert(token.id, token);
    }

    pub(crate) async fn revoke_token(&self, id: TokenId) {
        if let Some(token) = self.tokens.lock().await.get_mut(&id) {
            token.revoked_at = Some(SystemClock.now());
        }
    }

    pub(crate) async fn note(
        &self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Option<String> {
        self.notes.lock().await.get(&(organization, project)).cloned()
    }

    pub(crate) async fn write_note(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        note: String,
    ) {
        self.notes.lock().await.insert((organization, project), note);
    }
}
