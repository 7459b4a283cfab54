//! Where stored keys come from.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::ImportedFormat;
use crate::{
    AddressReach, ApiKeyRecord, Credential, PermissionSet, Principal, ProjectReach, Role, Scope,
};

/// Finds stored keys; implemented on top of whatever stores them.
#[async_trait]
pub trait KeyDirectory: Send + Sync {
    /// Finds the key with a look-up id, whoever's it is, revoked and expired ones included.
    ///
    /// Must see every change that was complete before the call.
    async fn find_key(&self, lookup: &str) -> Result<Option<KeyEntry>, DirectoryError>;

    /// How keys look that were made elsewhere and [imported](super::import).
    async fn imported_formats(&self) -> Result<Vec<ImportedFormat>, DirectoryError> {
        Ok(Vec::new())
    }

    /// Finds the imported keys that begin with these characters, of which there are as many as
    /// their format has; whoever's they are, revoked and expired ones included.
    async fn find_imported_keys(&self, start: &str) -> Result<Vec<KeyEntry>, DirectoryError> {
        let _ = start;
        Ok(Vec::new())
    }
}

/// A stored key, and what its creator is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// The key as it is stored.
    pub record: ApiKeyRecord,
    /// The creator's role in the key's organization; none for somebody who has left it, whose
    /// keys are refused.
    pub creator_role: Option<Role>,
}

/// Why credentials cannot be looked up or checked at the moment.
#[derive(Debug, Clone, thiserror::Error)]
#[error("credentials cannot be checked at the moment")]
pub struct DirectoryError(#[source] Arc<dyn Error + Send + Sync>);

impl DirectoryError {
    /// Wraps the cause, which is for the server's log only.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into().into())
    }
}

impl KeyEntry {
    /// The caller that the key stands for, unless it has been revoked, has expired or has lost
    /// its creator.
    pub(super) fn into_principal(self, now: DateTime<Utc>) -> Option<Principal> {
        let Self { record, creator_role } = self;
        let role = creator_role?;
        if !record.is_active(now) {
            return None;
        }
        // A name that is not known (any more) grants nothing.
        let scopes: Vec<Scope> =
            record.scopes.iter().filter_map(|name| name.parse().ok()).collect();
        let granted = scopes
            .iter()
            .fold(PermissionSet::EMPTY, |granted, scope| granted.union(scope.permissions()));
        Some(Principal {
            organization_id: record.organization_id,
            user_id: record.created_by,
            role,
            permissions: granted.intersection(role.permissions()),
            projects: ProjectReach::from(record.project_ids),
            restriction: None,
            credential: Credential::ApiKey {
                id: record.id,
                name: record.name,
                prefix: record.prefix,
                scopes,
                addresses: AddressReach::from(record.allowed_addresses),
                expires_at: record.expires_at,
            },
        })
    }
}
