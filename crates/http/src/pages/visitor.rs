//! Whose browser it is.

use axum::http::HeaderMap;
use windlass_control::{Caller, ControlError, Occasion, Presentation, PresentedCredential};
use windlass_domain::User;

use super::form::escaped;
use crate::{app::Shared, problem::Problem, same_origin, sessions::cookie};

/// Whoever has signed in with a browser; nobody where the session is none or over.
pub(super) async fn find(
    app: &Shared,
    headers: &HeaderMap,
    occasion: Occasion,
) -> Result<Option<Caller>, Problem> {
    let Some(session) = cookie::SESSION.presented(headers) else { return Ok(None) };
    let credential = PresentedCredential::Session(session);
    let presentation = Presentation { credential, organization: None, address: occasion.address };
    match app.control.identify(presentation, occasion).await {
        Ok(caller) => Ok(Some(caller)),
        Err(ControlError::InvalidCredential(_)) => Ok(None),
        Err(err) => Err(err.into()),
    }
}

/// The same for what changes something: only one of our own pages can ask for it.
pub(super) async fn find_for_change(
    app: &Shared,
    headers: &HeaderMap,
    occasion: Occasion,
) -> Result<Option<Caller>, Problem> {
    let caller = find(app, headers, occasion).await?;
    if caller.is_some() && !same_origin::is_own(headers, &app.options.public_url) {
        return Err(Problem::foreign_origin());
    }
    Ok(caller)
}

/// Tells somebody as whom they have signed in.
pub(super) fn draw(user: &User) -> String {
    let name = escaped(user.name.as_str());
    match &user.email {
        Some(email) => {
            format!("<p>You have signed in as {name} ({}).</p>\n", escaped(email.as_str()))
        }
        None => format!("<p>You have signed in as {name}.</p>\n"),
    }
}
