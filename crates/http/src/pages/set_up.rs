//! `/setup`

use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use windlass_control::Occasion;

use super::{
    Next,
    form::{self, Form},
};
use crate::{
    app::Shared,
    problem::Problem,
    sessions::{self, set_up::SetUpBody},
};

/// What the link brings along.
#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

pub(super) async fn show(Query(Link { token }): Query<Link>) -> Response {
    draw(&token, "", "", None)
}

pub(super) async fn submit(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    form: Form,
) -> Result<Response, Problem> {
    let (token, email, name) = (form.text("token"), form.text("email"), form.text("name"));
    let set_up = async {
        let body = SetUpBody {
            token: form.secret("token"),
            email: email.clone(),
            name: name.clone(),
            password: form.secret("password"),
        };
        let claim = body.parse(sessions::browser(&headers, occasion))?;
        Ok::<_, Problem>(windlass_control::set_up(&app.control, claim).await?)
    };
    match set_up.await {
        Ok(signed_in) => Ok(super::welcome(&headers, &signed_in, &Next::home())),
        Err(problem) => Ok(draw(&token, &email, &name, Some(&super::explain(problem)?))),
    }
}

fn draw(token: &str, email: &str, name: &str, problem: Option<&str>) -> Response {
    let body = [
        form::problem(problem),
        "<p>This makes you the owner of this server.</p>\n".to_owned(),
        "<form method=\"post\" action=\"/setup\">\n".to_owned(),
        form::hidden("token", token),
        form::field(
            "email",
            "email",
            "E-mail address",
            email,
            "autocomplete=\"username\" autofocus",
        ),
        form::field("text", "name", "Name", name, "autocomplete=\"name\" maxlength=\"100\""),
        form::field(
            "password",
            "password",
            "Password (12 characters or more)",
            "",
            "autocomplete=\"new-password\" minlength=\"12\"",
        ),
        "<button>Set up</button>\n</form>".to_owned(),
    ];
    super::page(StatusCode::OK, "Set up", &body.concat())
}
