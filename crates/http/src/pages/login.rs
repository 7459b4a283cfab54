//! `/login`

use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use windlass_control::{Occasion, SignIn};

use super::{
    Next,
    form::{self, Form},
    github,
};
use crate::{app::Shared, fields::Fields, problem::Problem, sessions};

/// What the link brings along.
#[derive(Deserialize)]
pub(super) struct Link {
    /// Where to go on to.
    #[serde(default)]
    next: String,
}

pub(super) async fn show(State(app): State<Shared>, Query(Link { next }): Query<Link>) -> Response {
    draw(&app, &Next::parse(&next), "", None)
}

pub(super) async fn submit(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    form: Form,
) -> Result<Response, Problem> {
    let (next, email) = (Next::parse(&form.text("next")), form.text("email"));
    let sign_in = async {
        let mut fields = Fields::default();
        let parsed = fields.parse("email", &email);
        let parsed = fields.finish(parsed)?;
        let browser = sessions::browser(&headers, occasion);
        let attempt = SignIn { email: parsed, password: form.secret("password"), browser };
        Ok::<_, Problem>(windlass_control::sign_in(&app.control, attempt).await?)
    };
    match sign_in.await {
        Ok(signed_in) => Ok(super::welcome(&headers, &signed_in, &next)),
        Err(problem) => Ok(draw(&app, &next, &email, Some(&super::explain(problem)?))),
    }
}

fn draw(app: &Shared, next: &Next, email: &str, problem: Option<&str>) -> Response {
    let body = [
        form::problem(problem),
        "<form method=\"post\" action=\"/login\">\n".to_owned(),
        form::hidden("next", next.as_str()),
        form::field(
            "email",
            "email",
            "E-mail address",
            email,
            "autocomplete=\"username\" autofocus",
        ),
        form::field("password", "password", "Password", "", "autocomplete=\"current-password\""),
        "<button>Sign in</button>\n</form>".to_owned(),
        github::button(app, next),
    ];
    super::page(StatusCode::OK, "Sign in", &body.concat())
}
