//! `POST /api/auth/tokens`

use axum::{Extension, Json, extract::State, http::StatusCode, response::IntoResponse};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::{Network, NewToken, Permission, TokenPurpose};
use windlass_control::Caller;
use windlass_domain::ProjectId;

use super::{
    permission::PermissionName,
    view::{CreatedTokenView, TokenView},
};
use crate::{
    app::Shared,
    extract::{Body, Whole},
    fields::Fields,
    problem::{ErrorBody, Problem},
};

/// Ten years.
const MOST_SECONDS: i64 = 315_360_000;

/// A token to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
pub(crate) struct NewTokenBody {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, example = "status page")]
    label: String,
    /// The permissions that it shall have; all of its creator's where absent. An empty list grants
    /// nothing.
    #[schema(value_type = Option<Vec<PermissionName>>, max_items = 100, example = json!(["projects:read", "logs:read"]))]
    permissions: Option<Vec<String>>,
    /// Whether it shall be good for looking only.
    read_only: Option<bool>,
    /// The only projects that it shall reach; all where absent.
    #[schema(max_items = 100)]
    project_ids: Option<Vec<String>>,
    /// The only addresses and networks from which it shall work; all from which the credential
    /// that creates it works where absent.
    #[schema(max_items = 100, example = json!(["203.0.113.0/24"]))]
    allowed_addresses: Option<Vec<String>>,
    /// After how long it shall stop working by itself: 1000 days where absent, or as long as the
    /// credential that creates it.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 315_360_000, example = 86_400)]
    expires_in_seconds: Option<Whole>,
}

/// Create a token.
///
/// A token is a [Biscuit](https://www.biscuitsec.org): whoever holds it can narrow it, offline, by
/// projects, environments, deployments, permissions, operation, time and address, and hand the
/// narrower one on. It never has more rights than the credential that creates it, now or later.
/// The answer shows the token itself, for this once; it is not stored.
#[utoipa::path(
    post,
    path = "/api/auth/tokens",
    tag = "auth",
    request_body = NewTokenBody,
    responses(
        (status = 201, description = "The new token", body = CreatedTokenView),
        (status = 409, description = "A token creates no tokens: narrow it instead", body = ErrorBody),
    ),
)]
pub(crate) async fn create_token(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewTokenBody>,
) -> Result<impl IntoResponse, Problem> {
    let now = app.clock.now();
    let new = body.parse(now)?;
    let created = windlass_control::create_token(&app.control, &caller, new).await?;
    let view = CreatedTokenView {
        token: created.token.expose().to_owned(),
        record: TokenView::new(created.record, now),
    };
    Ok((StatusCode::CREATED, Json(view)))
}

impl NewTokenBody {
    fn parse(self, now: DateTime<Utc>) -> Result<NewToken, Problem> {
        let mut fields = Fields::default();
        let label = fields.parse("label", &self.label);
        let permissions =
            self.permissions.map(|names| fields.many::<Permission>("permissions", &names));
        let project_ids = self.project_ids.map(|ids| fields.many::<ProjectId>("project_ids", &ids));
        let allowed_addresses =
            self.allowed_addresses.map(|all| fields.many::<Network>("allowed_addresses", &all));
        let life = self.expires_in_seconds;
        let life =
            life.and_then(|seconds| fields.life("expires_in_seconds", seconds, MOST_SECONDS));
        let new = label.map(|label| NewToken {
            label,
            permissions,
            is_read_only: self.read_only.unwrap_or(false),
            project_ids,
            allowed_addresses,
            expires_at: life.map(|life: TimeDelta| now + life),
            purpose: TokenPurpose::Delegation,
        });
        fields.finish(new)
    }
}
