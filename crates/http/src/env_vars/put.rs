//! `PUT /api/projects/{id}/env-vars`

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_control::{Caller, Control, PutEnvVar};
use windlass_domain::{ProjectId, check_env_var_value};

use super::view::EnvVarView;
use crate::{
    extract::{Body, Path},
    fields::Fields,
    problem::{ErrorBody, Problem},
};

/// A variable to set.
// No `Debug`: the value is a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutEnvVar)]
pub(crate) struct PutEnvVarBody {
    /// Its name. `PORT`, `WINDLASS_…` and `LD_…` belong to the platform.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = "^[A-Za-z_][A-Za-z0-9_]*$",
        example = "DATABASE_URL"
    )]
    key: String,
    /// Its value, kept as it is: at most 32768 bytes without NUL characters.
    #[schema(max_length = 32768, example = "postgres://db.example.com/app")]
    value: String,
    /// The only environment that shall get it; all of the project's where absent.
    #[schema(
        pattern = "^env_[0-7][0-9a-hjkmnp-tv-z]{25}$",
        example = "env_01kdvdna000000000000000004"
    )]
    environment_id: Option<String>,
    /// Whether previews get it, too; they do by default, and an existing one stays as it is where
    /// this is absent. One of an environment is for that one in any case.
    previews: Option<bool>,
}

/// Set an environment variable.
///
/// Creates it, or sets the one of the same name at the same level anew. Builds and apps that start
/// from now on get it.
#[utoipa::path(
    put,
    path = "/api/projects/{id}/env-vars",
    tag = "env-vars",
    params(("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003")),
    request_body(content = PutEnvVarBody, example = json!({
        "key": "DATABASE_URL",
        "value": "postgres://db.example.com/app",
    })),
    responses(
        (status = 200, description = "The variable, its value masked", body = EnvVarView),
        (status = 409, description = "The environment is being destroyed", body = ErrorBody),
    ),
)]
pub(crate) async fn put_env_var(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<ProjectId>,
    Body(body): Body<PutEnvVarBody>,
) -> Result<Json<EnvVarView>, Problem> {
    let view = windlass_control::put_env_var(&control, &caller, project, body.parse()?).await?;
    Ok(Json(view.into()))
}

impl PutEnvVarBody {
    fn parse(self) -> Result<PutEnvVar, Problem> {
        let mut fields = Fields::default();
        let key = fields.parse("key", &self.key);
        fields.check("value", check_env_var_value(&self.value));
        let environment_id =
            self.environment_id.and_then(|text| fields.parse("environment_id", &text));
        let put = key.map(|key| PutEnvVar {
            key,
            value: self.value.into(),
            environment_id,
            previews: self.previews,
        });
        fields.finish(put)
    }
}
