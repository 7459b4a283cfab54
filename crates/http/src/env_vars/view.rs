//! Environment variables as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_control::EnvVarView as Masked;

/// A variable, its value masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnvVar)]
pub(crate) struct EnvVarView {
    #[schema(example = "var_01kdvdna000000000000000005")]
    id: String,
    /// Its name.
    #[schema(example = "DATABASE_URL")]
    key: String,
    /// `********`, with the last four characters of a value of twelve or more.
    #[schema(example = "********/app")]
    value: String,
    /// The only environment that gets it; `null` for all of the project's.
    environment_id: Option<String>,
    /// Whether previews get it, too.
    previews: bool,
    created_at: DateTime<Utc>,
    /// When its value was last set.
    updated_at: DateTime<Utc>,
}

impl From<Masked> for EnvVarView {
    fn from(view: Masked) -> Self {
        let Masked { var, masked } = view;
        Self {
            id: var.id.to_string(),
            key: var.key.to_string(),
            value: masked,
            previews: var.previews,
            environment_id: var.environment_id.map(|id| id.to_string()),
            created_at: var.created_at,
            updated_at: var.updated_at,
        }
    }
}
