//! `/authorize`: a person lets a program on their own machine have a token of theirs (RFC 8252).

mod request;

use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use windlass_auth::Role;
use windlass_control::{Caller, Occasion, WhoAmI};
use windlass_domain::{Organization, OrganizationId};

use self::request::{Asked, Request};
use super::{
    form::{self, Form, escaped},
    logout, visitor,
};
use crate::{app::Shared, problem::Problem};

pub(super) async fn show(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let Some(request) = Request::parse(asked) else { return Ok(incomplete()) };
    match visitor::find(&app, &headers, occasion).await? {
        Some(caller) => ask(&app, &caller, &request, None).await,
        None => Ok(super::go_on(&request.next().by_way_of("/login"))),
    }
}

pub(super) async fn submit(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    form: Form,
) -> Result<Response, Problem> {
    let Some(request) = Request::parse(Asked::of(&form)) else { return Ok(incomplete()) };
    if form.text("answer") != "allow" {
        return Ok(super::go_on(&request.denied()));
    }
    let Some(caller) = visitor::find_for_change(&app, &headers, occasion).await? else {
        return Ok(super::go_on(&request.next().by_way_of("/login")));
    };
    if caller.principal.user_id.to_string() != form.text("person") {
        let message = "Somebody else has signed in meanwhile: is this you?";
        return ask(&app, &caller, &request, Some(message)).await;
    }
    let grant = async {
        let organization: Option<OrganizationId> = form.text("organization").parse().ok();
        let organization = organization.ok_or_else(|| Problem::not_found("organization"))?;
        let new = request.code();
        let code = windlass_control::grant_login_code(&app.control, &caller, organization, new);
        Ok::<_, Problem>(code.await?)
    };
    match grant.await {
        Ok(code) => Ok(super::go_on(&request.allowed(&code))),
        Err(problem) => ask(&app, &caller, &request, Some(&super::explain(problem)?)).await,
    }
}

/// Asks whoever has signed in.
async fn ask(
    app: &Shared,
    caller: &Caller,
    request: &Request,
    problem: Option<&str>,
) -> Result<Response, Problem> {
    let WhoAmI { user, organizations, .. } = windlass_control::whoami(&app.control, caller).await?;
    let label = escaped(request.label().as_str());
    let until = (app.clock.now() + request.life()).format("%-d %B %Y, %H:%M UTC");
    let body = [
        form::problem(problem),
        format!(
            "<p><strong>{label}</strong> wants to do all that you may do, until {until}.</p>\n"
        ),
        "<p>Allow it only if you have just run <code>windlass login</code> yourself. \
         <code>windlass logout</code> takes it back.</p>\n"
            .to_owned(),
        "<form method=\"post\" action=\"/authorize\">\n".to_owned(),
        request.hidden(),
        form::hidden("person", &user.id.to_string()),
        choice(&organizations),
        "<button name=\"answer\" value=\"allow\">Allow</button>\n\
         <button name=\"answer\" value=\"deny\">Deny</button>\n</form>\n"
            .to_owned(),
        visitor::draw(&user),
        logout::draw(&request.next(), "Sign in as somebody else"),
    ];
    Ok(super::page_leading_to(&request.origin(), "Let a program in", &body.concat()))
}

/// For which organization it is, of those in which they are.
fn choice(organizations: &[(Organization, Role)]) -> String {
    if let [(only, _)] = organizations {
        let name = escaped(only.name.as_str());
        let id = form::hidden("organization", &only.id.to_string());
        return format!("{id}<p>Organization: {name}</p>\n");
    }
    let options = organizations.iter().map(|(organization, role)| {
        let name = escaped(organization.name.as_str());
        format!("<option value=\"{}\">{name} ({role})</option>\n", organization.id)
    });
    let options: String = options.collect();
    format!(
        "<label for=\"organization\">Organization</label>\n\
         <select id=\"organization\" name=\"organization\">\n{options}</select>\n"
    )
}

/// For whoever comes with a link that no program of ours has made.
fn incomplete() -> Response {
    let body = "<p class=\"problem\" role=\"alert\">This link is not whole. \
                Run <code>windlass login</code> again.</p>";
    super::page(StatusCode::OK, "Let a program in", body)
}
