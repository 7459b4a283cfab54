//! API keys as JSON in camel case.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_auth::{ApiKeyRecord, MintedKey};

use super::super::view::{ApiKeyStatus, ApiKeyView};

/// An API key, without the key itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NorrixApiKey {
    #[schema(example = "key_01kdvdna000000000000000002")]
    id: String,
    /// What it is for.
    #[schema(example = "GitHub Actions")]
    name: String,
    /// Its first characters.
    #[schema(example = "wls_3fJ9xQ2L")]
    prefix: String,
    /// Its scopes.
    #[schema(example = json!(["build"]))]
    scopes: Vec<String>,
    /// The only projects that it reaches; `null` for all.
    project_ids: Option<Vec<String>>,
    /// The only addresses and networks from which it works; `null` for any.
    allowed_addresses: Option<Vec<String>>,
    /// Whose key it is: it never has more rights than this person.
    #[schema(example = "usr_01kdvdna000000000000000001")]
    created_by: String,
    created_at: DateTime<Utc>,
    /// When it stops working by itself.
    expires_at: Option<DateTime<Utc>>,
    /// When it was last used; written down now and then.
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    status: ApiKeyStatus,
}

/// An API key that has just been created.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NorrixCreatedApiKey {
    #[serde(flatten)]
    record: NorrixApiKey,
    /// The key itself. It is shown this once and cannot be had again.
    #[schema(example = "wls_3fJ9xQ2LmN7_5TzKc8RwYb1HvPd4GsXn6JqUe2M11UbxB")]
    key: String,
}

impl NorrixCreatedApiKey {
    pub(super) fn new(created: MintedKey, now: DateTime<Utc>) -> Self {
        let key = created.key.expose().to_owned();
        Self { key, record: NorrixApiKey::new(created.record, now) }
    }
}

impl NorrixApiKey {
    pub(super) fn new(record: ApiKeyRecord, now: DateTime<Utc>) -> Self {
        let ApiKeyView {
            id,
            name,
            prefix,
            scopes,
            project_ids,
            allowed_addresses,
            created_by,
            created_at,
            expires_at,
            last_used_at,
            revoked_at,
            status,
        } = ApiKeyView::new(record, now);
        Self {
            id,
            name,
            prefix,
            scopes,
            project_ids,
            allowed_addresses,
            created_by,
            created_at,
            expires_at,
            last_used_at,
            revoked_at,
            status,
        }
    }
}
