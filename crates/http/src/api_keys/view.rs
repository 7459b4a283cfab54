//! API keys as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_auth::{ApiKeyRecord, MintedKey};

/// An API key, without the key itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyView {
    #[schema(example = "key_01kdvdna000000000000000002")]
    pub(super) id: String,
    /// What it is for.
    #[schema(example = "ci")]
    pub(super) name: String,
    /// Its first characters.
    #[schema(example = "wls_3fJ9xQ2L")]
    pub(super) prefix: String,
    /// Its scopes.
    #[schema(example = json!(["read", "deployments:write"]))]
    pub(super) scopes: Vec<String>,
    /// The only projects that it reaches; `null` for all.
    pub(super) project_ids: Option<Vec<String>>,
    /// The only addresses and networks from which it works; `null` for any.
    pub(super) allowed_addresses: Option<Vec<String>>,
    /// Whose key it is: it never has more rights than this person.
    #[schema(example = "usr_01kdvdna000000000000000001")]
    pub(super) created_by: String,
    pub(super) created_at: DateTime<Utc>,
    /// When it stops working by itself.
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// When it was last used; written down now and then.
    pub(super) last_used_at: Option<DateTime<Utc>>,
    pub(super) revoked_at: Option<DateTime<Utc>>,
    pub(super) status: ApiKeyStatus,
}

/// Whether a key opens anything.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ApiKeyStatus {
    Active,
    Expired,
    Revoked,
}

/// An API key that has just been created.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedApiKey)]
pub(crate) struct CreatedApiKeyView {
    #[serde(flatten)]
    record: ApiKeyView,
    /// The key itself. It is shown this once and cannot be had again.
    #[schema(example = "wls_3fJ9xQ2LmN7_5TzKc8RwYb1HvPd4GsXn6JqUe2M11UbxB")]
    key: String,
}

impl CreatedApiKeyView {
    pub(super) fn new(created: MintedKey, now: DateTime<Utc>) -> Self {
        let key = created.key.expose().to_owned();
        Self { key, record: ApiKeyView::new(created.record, now) }
    }
}

impl ApiKeyView {
    pub(crate) fn new(record: ApiKeyRecord, now: DateTime<Utc>) -> Self {
        let ApiKeyRecord {
            id,
            organization_id: _,
            lookup: _,
            prefix,
            hash: _,
            name,
            scopes,
            project_ids,
            allowed_addresses,
            imported_start: _,
            created_by,
            created_at,
            expires_at,
            revoked_at,
            last_used_at,
        } = record;
        let status = if revoked_at.is_some() {
            ApiKeyStatus::Revoked
        } else if expires_at.is_some_and(|at| at <= now) {
            ApiKeyStatus::Expired
        } else {
            ApiKeyStatus::Active
        };
        Self {
            id: id.to_string(),
            name: name.to_string(),
            prefix,
            scopes,
            project_ids: project_ids.map(|ids| ids.iter().map(ToString::to_string).collect()),
            allowed_addresses: allowed_addresses
                .map(|list| list.iter().map(ToString::to_string).collect()),
            created_by: created_by.to_string(),
            created_at,
            expires_at,
            last_used_at,
            revoked_at,
            status,
        }
    }
}
