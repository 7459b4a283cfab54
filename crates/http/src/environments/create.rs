//! `POST /api/projects/{id}/environments`

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_control::{Caller, EnvironmentDetail, wait_for_deployment};
use windlass_domain::{BranchName, ProjectId};

use super::view::{EnvironmentView, tag};
use crate::{
    app::{App, Shared},
    extract::{Body, Path, Query},
    fields::Fields,
    problem::{ErrorBody, Problem},
    wait::{Wait, WaitQuery},
};

/// An environment to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEnvironment)]
pub(crate) struct NewEnvironmentBody {
    /// The branch that it shall follow.
    #[schema(min_length = 1, max_length = 200, example = "main")]
    branch: String,
}

/// Create an environment.
///
/// Deploys the branch's latest commit. Waiting needs the permissions `environments:read` and
/// `deployments:read` as well; without them the answer comes at once.
#[utoipa::path(
    post,
    path = "/api/projects/{id}/environments",
    tag = "environments",
    params(("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"), WaitQuery),
    request_body(content = NewEnvironmentBody, example = json!({ "branch": "main" })),
    responses(
        (
            status = 202,
            description = "The new environment and its first deployment",
            body = EnvironmentView,
            headers(
                ("ETag" = String, description = "Its version, and that of its newest deployment"),
                ("Location" = String, description = "Its address"),
            ),
        ),
        (status = 409, description = "The branch has an environment already, or the project is being deleted", body = ErrorBody),
    ),
)]
pub(crate) async fn create_environment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<ProjectId>,
    Query(wait): Query<WaitQuery>,
    Body(body): Body<NewEnvironmentBody>,
) -> Result<impl IntoResponse, Problem> {
    let (wait, branch) = (wait.parse()?, body.parse()?);
    let created =
        windlass_control::create_environment(&app.control, &caller, project, branch).await?;
    let detail = settled(&app, &caller, created, wait).await;

    let location = format!("/api/environments/{}", detail.environment.id);
    let tag = tag(&detail);
    let view = EnvironmentView::of_detail(detail, &app.options.apps);
    Ok(([(header::LOCATION, location)], tag.answer(StatusCode::ACCEPTED, view)))
}

/// The environment after its first deployment has settled or time is up. It is there whatever
/// becomes of the waiting.
async fn settled(
    app: &App,
    caller: &Caller,
    created: EnvironmentDetail,
    wait: Option<Wait>,
) -> EnvironmentDetail {
    let (Some(wait), Some(first)) = (wait, &created.latest_deployment) else { return created };
    let wait_for = |at_most| wait_for_deployment(&app.control, caller, first.id, at_most);
    // The environment is looked at whatever is seen of its deployment.
    let _ = wait.until(&app.stopping, wait_for).await;
    let now = windlass_control::get_environment(&app.control, caller, created.environment.id);
    now.await.unwrap_or(created)
}

impl NewEnvironmentBody {
    fn parse(&self) -> Result<BranchName, Problem> {
        let mut fields = Fields::default();
        let branch = fields.parse("branch", &self.branch);
        fields.finish(branch)
    }
}
