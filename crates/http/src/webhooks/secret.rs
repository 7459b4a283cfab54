//! `POST /api/projects/{id}/webhook-secret`

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::IntoResponse,
};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windlass_control::Caller;
use windlass_domain::ProjectId;
use windlass_forge::Forge;

use crate::{
    app::Shared,
    extract::{Body, Path, Whole},
    problem::{ErrorBody, Problem},
};

/// How to make a new secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookSecretRotation)]
pub(crate) struct RotationBody {
    /// How long the secret before goes on working, at most a week; an hour by default.
    #[serde(default = "an_hour")]
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 604_800, default = 3600, example = 3600)]
    overlap_seconds: Whole,
}

fn an_hour() -> Whole {
    Whole(3_600)
}

/// A new secret, shown this once.
// No `Debug`: it is a secret.
#[derive(Serialize, ToSchema)]
#[schema(as = NewWebhookSecret)]
pub(crate) struct NewSecretView {
    #[schema(example = "whs_01kdvdna000000000000000009")]
    id: String,
    /// What to enter as the secret (GitHub, Gitea) or the secret token (GitLab).
    #[schema(example = "wlwh_7d4c…")]
    secret: String,
    urls: AddressesView,
    created_at: DateTime<Utc>,
    /// Until when the secret before goes on working.
    previous_ends_at: DateTime<Utc>,
}

/// What to enter as the webhook's address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookAddresses)]
pub(crate) struct AddressesView {
    #[schema(example = "https://windlass.example.com/api/webhooks/github")]
    github: String,
    #[schema(example = "https://windlass.example.com/api/webhooks/gitlab")]
    gitlab: String,
    /// For Forgejo, too.
    #[schema(example = "https://windlass.example.com/api/webhooks/gitea")]
    gitea: String,
}

/// Make a new secret for a project's webhooks.
///
/// With it and one of the addresses, set up a webhook of the repository: of content type
/// `application/json`, for pushes, deleted branches and pull requests. The secret before goes on
/// working for a while. The answer shows the secret, for this once.
#[utoipa::path(
    post,
    path = "/api/projects/{id}/webhook-secret",
    tag = "webhooks",
    params(("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003")),
    request_body = RotationBody,
    responses(
        (status = 201, description = "The secret", body = NewSecretView),
        (status = 409, description = "The project is being deleted", body = ErrorBody),
    ),
)]
pub(crate) async fn rotate_webhook_secret(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<ProjectId>,
    uri: Uri,
    headers: HeaderMap,
    Body(body): Body<RotationBody>,
) -> Result<impl IntoResponse, Problem> {
    let Whole(seconds) = body.overlap_seconds;
    let overlap = TimeDelta::seconds(seconds.into());
    let made =
        windlass_control::rotate_webhook_secret(&app.control, &caller, project, overlap).await?;
    let base = app.base(&uri, &headers);
    let url = |forge: Forge| format!("{base}/api/webhooks/{forge}");
    let view = NewSecretView {
        id: made.id.to_string(),
        secret: made.secret.expose_secret().to_owned(),
        urls: AddressesView {
            github: url(Forge::GitHub),
            gitlab: url(Forge::GitLab),
            gitea: url(Forge::Gitea),
        },
        created_at: made.created_at,
        previous_ends_at: made.previous_ends_at,
    };
    Ok((StatusCode::CREATED, Json(view)))
}
