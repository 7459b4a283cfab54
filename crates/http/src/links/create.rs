//! `POST /api/links`

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::IntoResponse,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windlass_control::{Caller, CreateLink, LinkedLog};

use crate::{
    app::Shared,
    authentication::Shown,
    extract::{Body, Whole},
    fields::Fields,
    problem::{ErrorBody, Problem},
};

/// A link to make: to one log.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLink)]
pub(crate) struct NewLinkBody {
    /// The deployment whose log it shall open.
    #[schema(example = "dep_01kdvdna000000000000000006")]
    deployment_id: Option<String>,
    /// Or the environment whose apps' log it shall open.
    environment_id: Option<String>,
    /// How long it shall last: an hour where absent, never longer than the credential that makes
    /// it.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 2_592_000, default = 3600)]
    expires_in_seconds: Option<Whole>,
}

/// A link that has just been made.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
pub(crate) struct LinkView {
    /// Opens the log in a browser, without any other credential; opens nothing else.
    #[schema(
        example = "https://windlass.example.com/api/deployments/dep_01kdvdna000000000000000006/logs?token=EpABCiYK…"
    )]
    url: String,
    /// When it stops working by itself.
    expires_at: DateTime<Utc>,
}

/// Make a link to a log.
///
/// Whoever has the link can read this one log until the link ends: by itself, with the API key or
/// token that made it, with its creator's place in the organization, or when it is revoked like a
/// token. A link of an API key that is bound to addresses works from those alone. Name either a deployment or an environment.
#[utoipa::path(
    post,
    path = "/api/links",
    tag = "logs",
    request_body = NewLinkBody,
    responses(
        (status = 201, description = "The link", body = LinkView),
        (status = 404, description = "There is no such deployment or environment, or not for this credential", body = ErrorBody),
        (status = 409, description = "The token that is presented is sealed, or has been narrowed too often", body = ErrorBody),
    ),
)]
pub(crate) async fn create_link(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    shown: Option<Extension<Shown>>,
    uri: Uri,
    headers: HeaderMap,
    Body(body): Body<NewLinkBody>,
) -> Result<impl IntoResponse, Problem> {
    let link = body.parse()?;
    let presented = shown.as_ref().map(|Extension(shown)| shown.text());
    let created = windlass_control::create_link(&app.control, &caller, link, presented).await?;
    let path = match link.log {
        LinkedLog::Deployment(id) => format!("/api/deployments/{id}/logs"),
        LinkedLog::Environment(id) => format!("/api/environments/{id}/logs"),
    };
    let base = app.base(&uri, &headers);
    let url = format!("{base}{path}?token={}", created.token.expose());
    Ok((StatusCode::CREATED, Json(LinkView { url, expires_at: created.expires_at })))
}

impl NewLinkBody {
    fn parse(self) -> Result<CreateLink, Problem> {
        let mut fields = Fields::default();
        let deployment = self.deployment_id.map(|id| fields.parse("deployment_id", &id));
        let environment = self.environment_id.map(|id| fields.parse("environment_id", &id));
        let log = match (deployment, environment) {
            (Some(id), None) => id.map(LinkedLog::Deployment),
            (None, Some(id)) => id.map(LinkedLog::Environment),
            (Some(_), Some(_)) | (None, None) => {
                fields.refuse("deployment_id", "or environment_id must be given, and only one");
                None
            }
        };
        let most = CreateLink::MAX_LIFE.num_seconds();
        let life = match self.expires_in_seconds {
            Some(seconds) => fields.life("expires_in_seconds", seconds, most),
            None => Some(CreateLink::LIFE),
        };
        let link = log.zip(life).map(|(log, life)| CreateLink { log, life });
        fields.finish(link)
    }
}
