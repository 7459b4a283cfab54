//! `POST /api/api-keys`

use axum::{Extension, Json, extract::State, http::StatusCode, response::IntoResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::Scope;
use windlass_control::Caller;

use super::{
    super::{create::NewApiKeyBody, scope::ScopeName},
    view::NorrixCreatedApiKey,
};
use crate::{app::Shared, extract::Body, problem::Problem};

/// An API key to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NorrixNewApiKey {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, example = "GitHub Actions")]
    name: String,
    /// Its scopes; `build`, `submit` and `update` where absent. An empty list grants nothing.
    #[serde(default = "usual_scopes")]
    #[schema(value_type = Vec<ScopeName>, required = false, max_items = 100, example = json!(["build"]))]
    scopes: Vec<String>,
    /// The only projects that it shall reach; all where absent.
    #[schema(max_items = 100)]
    project_ids: Option<Vec<String>>,
    /// The only addresses and networks from which it shall work; any where absent.
    #[schema(max_items = 100, example = json!(["203.0.113.0/24"]))]
    allowed_addresses: Option<Vec<String>>,
    /// When it shall stop working by itself; never where absent.
    #[schema(format = DateTime, example = "2027-01-01T00:00:00Z")]
    expires_at: Option<String>,
}

/// Create an API key (camel case).
///
/// The same as `POST /api/auth/api-keys`.
#[utoipa::path(
    post,
    path = "/api/api-keys",
    tag = "auth",
    request_body = NorrixNewApiKey,
    responses((status = 201, description = "The new key", body = NorrixCreatedApiKey)),
)]
pub(crate) async fn norrix_create_api_key(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NorrixNewApiKey>,
) -> Result<impl IntoResponse, Problem> {
    let new = NewApiKeyBody::from(body).parse().map_err(Problem::in_camel_case)?;
    let created = windlass_control::create_api_key(&app.control, &caller, new).await;
    let created = created.map_err(|err| Problem::from(err).in_camel_case())?;
    Ok((StatusCode::CREATED, Json(NorrixCreatedApiKey::new(created, app.clock.now()))))
}

fn usual_scopes() -> Vec<String> {
    [Scope::Build, Scope::Submit, Scope::Update].map(|scope| scope.name().to_owned()).into()
}

impl From<NorrixNewApiKey> for NewApiKeyBody {
    fn from(body: NorrixNewApiKey) -> Self {
        let NorrixNewApiKey { name, scopes, project_ids, allowed_addresses, expires_at } = body;
        Self { name, scopes, project_ids, allowed_addresses, expires_at }
    }
}
