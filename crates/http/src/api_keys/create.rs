//! `POST /api/auth/api-keys`

use axum::{Extension, Json, extract::State, http::StatusCode, response::IntoResponse};
use chrono::{DateTime, Datelike, SubsecRound, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::{Network, NewApiKey, Scope};
use windlass_control::Caller;
use windlass_domain::ProjectId;

use super::{scope::ScopeName, view::CreatedApiKeyView};
use crate::{
    app::Shared,
    extract::Body,
    fields::Fields,
    problem::{ErrorBody, Problem},
};

/// An API key to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey)]
pub(crate) struct NewApiKeyBody {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, example = "ci")]
    pub(super) name: String,
    /// Its scopes: `build`, `submit`, `update`, `read`, `admin` or permissions by their names. An
    /// empty list grants nothing.
    #[schema(value_type = Vec<ScopeName>, max_items = 100, example = json!(["read", "deployments:write"]))]
    pub(super) scopes: Vec<String>,
    /// The only projects that it shall reach; all where absent.
    #[schema(max_items = 100)]
    pub(super) project_ids: Option<Vec<String>>,
    /// The only addresses and networks (IPv4 or IPv6) from which it shall work; any where absent.
    #[schema(max_items = 100, example = json!(["203.0.113.0/24", "2001:db8::/32"]))]
    pub(super) allowed_addresses: Option<Vec<String>>,
    /// When it shall stop working by itself; never where absent.
    #[schema(format = DateTime, example = "2027-01-01T00:00:00Z")]
    pub(super) expires_at: Option<String>,
}

/// Create an API key.
///
/// It never has more rights than the credential that creates it. The answer shows the key itself,
/// for this once.
#[utoipa::path(
    post,
    path = "/api/auth/api-keys",
    tag = "auth",
    request_body = NewApiKeyBody,
    responses(
        (status = 201, description = "The new key", body = CreatedApiKeyView),
        (status = 409, description = "A token creates no keys", body = ErrorBody),
    ),
)]
pub(crate) async fn create_api_key(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewApiKeyBody>,
) -> Result<impl IntoResponse, Problem> {
    let created = windlass_control::create_api_key(&app.control, &caller, body.parse()?).await?;
    Ok((StatusCode::CREATED, Json(CreatedApiKeyView::new(created, app.clock.now()))))
}

impl NewApiKeyBody {
    pub(super) fn parse(self) -> Result<NewApiKey, Problem> {
        let mut fields = Fields::default();
        let name = fields.parse("name", &self.name);
        let scopes = fields.many::<Scope>("scopes", &self.scopes);
        let project_ids = self.project_ids.map(|ids| fields.many::<ProjectId>("project_ids", &ids));
        let allowed_addresses =
            self.allowed_addresses.map(|list| fields.many::<Network>("allowed_addresses", &list));
        let expires_at = self.expires_at.and_then(|text| moment(&mut fields, &text));
        let new =
            name.map(|name| NewApiKey { name, scopes, project_ids, allowed_addresses, expires_at });
        fields.finish(new)
    }
}

fn moment(fields: &mut Fields, text: &str) -> Option<DateTime<Utc>> {
    // To the microsecond: what every database keeps.
    let read = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc().trunc_subsecs(6));
    let read = read.ok().filter(|at| (1..=9999).contains(&at.year()));
    fields.check("expires_at", read.ok_or("must be a date-time such as 2027-01-01T00:00:00Z"))
}
