//! `/invitation`: somebody looks at the invitation that they were given, and accepts it.

use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use windlass_auth::{PlainPassword, Role};
use windlass_control::{AcceptedBy, Caller, Invited, Occasion, Registration, SignIn};

use super::{
    Next,
    form::{self, Form, escaped},
    github, logout, visitor,
};
use crate::{app::Shared, fields::Fields, problem::Problem, sessions};

/// What the link brings along.
#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

/// Somebody with an invitation.
struct Guest<'a> {
    app: &'a Shared,
    caller: Option<Caller>,
    token: &'a SecretString,
}

pub(super) async fn show(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    Query(Link { token }): Query<Link>,
) -> Result<Response, Problem> {
    let token = token.into();
    let caller = visitor::find(&app, &headers, occasion).await?;
    Guest { app: &app, caller, token: &token }.draw("", None).await
}

pub(super) async fn submit(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    form: Form,
) -> Result<Response, Problem> {
    let (token, name) = (form.secret("token"), form.text("name"));
    let caller = visitor::find_for_change(&app, &headers, occasion.clone()).await?;
    let guest = Guest { app: &app, caller, token: &token };
    let accepted = match &guest.caller {
        Some(caller) => guest.accept(caller).await,
        None => guest.come_in(&headers, occasion, &name, form.secret("password")).await,
    };
    match accepted {
        Ok(response) => Ok(response),
        Err(problem) => guest.draw(&name, Some(&super::explain(problem)?)).await,
    }
}

impl Guest<'_> {
    /// Whoever has signed in accepts with their session.
    async fn accept(&self, caller: &Caller) -> Result<Response, Problem> {
        let token = self.token.expose_secret();
        windlass_control::accept_invitation(&self.app.control, caller, token).await?;
        Ok(super::go_on(Next::home().as_str()))
    }

    /// Whoever has not accepts with a password, and has signed in then.
    async fn come_in(
        &self,
        headers: &HeaderMap,
        occasion: Occasion,
        name: &str,
        password: SecretString,
    ) -> Result<Response, Problem> {
        let (control, token) = (&self.app.control, self.token.expose_secret());
        let Invited { email, by, .. } =
            windlass_control::look_at_invitation(control, None, token).await?;
        let mut fields = Fields::default();
        // Whoever has an account keeps their name.
        let name = if by == AcceptedBy::NewPassword { name } else { email.as_str() };
        let name = fields.parse("name", &name.chars().take(100).collect::<String>());
        fields.check("password", PlainPassword::new(password.clone()));
        let registration = name.map(|name| Registration { name, password: password.clone() });
        let registration = fields.finish(registration)?;
        let registering = Occasion { action: "register_by_invitation".into(), ..occasion.clone() };
        windlass_control::register_by_invitation(control, &registering, token, registration)
            .await?;
        let signing_in = Occasion { action: "login".into(), ..occasion };
        let browser = sessions::browser(headers, signing_in);
        let signed_in = windlass_control::sign_in(control, SignIn { email, password, browser });
        Ok(match signed_in.await {
            Ok(signed_in) => super::welcome(headers, &signed_in, &Next::home()),
            // They are in, whatever stands in the way now.
            Err(_) => super::go_on("/login"),
        })
    }

    /// The invitation, as far as whoever looks may see it.
    async fn draw(&self, name: &str, problem: Option<&str>) -> Result<Response, Problem> {
        let token = self.token.expose_secret();
        let found =
            windlass_control::look_at_invitation(&self.app.control, self.caller.as_ref(), token);
        let body = match found.await.map_err(Problem::from) {
            Ok(invited) => self.offer(&invited, name, problem),
            Err(refused) => self.explain(refused)?,
        };
        Ok(super::page(StatusCode::OK, "Invitation", &body))
    }

    fn offer(&self, invited: &Invited, name: &str, problem: Option<&str>) -> String {
        let Invited { organization, role, email, by } = invited;
        let (organization, email) = (escaped(organization.name.as_str()), escaped(email.as_str()));
        let fields = match by {
            AcceptedBy::Session => String::new(),
            AcceptedBy::Password => form::field(
                "password",
                "password",
                "Your password",
                "",
                "autocomplete=\"current-password\" autofocus",
            ),
            AcceptedBy::NewPassword => new_account(name),
            AcceptedBy::Elsewhere => {
                let login = escaped(&self.here().by_way_of("/login"));
                return format!(
                    "{}{}{}<p><a href=\"{login}\">Sign in</a> to accept it.</p>\n",
                    form::problem(problem),
                    what(&organization, *role, &email),
                    github::accept(self.app, self.token),
                );
            }
        };
        [
            form::problem(problem),
            what(&organization, *role, &email),
            "<form method=\"post\" action=\"/invitation\">\n".to_owned(),
            form::hidden("token", self.token.expose_secret()),
            fields,
            "<button>Accept</button>\n</form>\n".to_owned(),
            github::accept(self.app, self.token),
        ]
        .concat()
    }

    /// What is shown of one that is worth nothing, or for somebody else.
    fn explain(&self, refused: Problem) -> Result<String, Problem> {
        if refused.is("not_the_addressee") {
            let text = "This invitation is for another e-mail address than yours.";
            let out = logout::draw(&self.here(), "Sign in as somebody else");
            return Ok(form::problem(Some(text)) + &out);
        }
        super::explain(refused)?;
        let text = "This invitation does not work (any more): it was accepted or taken back, or \
                    has expired. Ask whoever has invited you for another one.";
        Ok(form::problem(Some(text)))
    }

    /// The address of this page.
    fn here(&self) -> Next {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("token", self.token.expose_secret()).finish();
        Next::parse(&format!("/invitation?{query}"))
    }
}

/// What an invitation offers.
fn what(organization: &str, role: Role, email: &str) -> String {
    format!(
        "<p>You are invited to <strong>{organization}</strong>, as <strong>{role}</strong>.</p>\n\
         <p>This is for {email} alone.</p>\n"
    )
}

/// What somebody says of themselves who has no account yet.
fn new_account(name: &str) -> String {
    let password = form::field(
        "password",
        "password",
        "Password (12 characters or more)",
        "",
        "autocomplete=\"new-password\" minlength=\"12\"",
    );
    form::field("text", "name", "Name", name, "autocomplete=\"name\" maxlength=\"100\" autofocus")
        + &password
}
