//! Whose browser it is.

use axum::http::HeaderMap;
use windlass_control::{Caller, ControlError, Occasion, Presentation, PresentedCredential};
use windlass_domain::OrganizationId;

use crate::{app::Shared, problem::Problem, same_origin, sessions::cookie};

/// Whoever has signed in with a browser, in one of their organizations; nobody where the session is
/// none or over.
pub(super) async fn find(
    app: &Shared,
    headers: &HeaderMap,
    occasion: Occasion,
    organization: Option<OrganizationId>,
) -> Result<Option<Caller>, Problem> {
    let Some(session) = cookie::presented(headers) else { return Ok(None) };
    let credential = PresentedCredential::Session(session);
    let presentation = Presentation { credential, organization, address: occasion.address };
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
    organization: Option<OrganizationId>,
) -> Result<Option<Caller>, Problem> {
    let caller = find(app, headers, occasion, organization).await?;
    if caller.is_some() && !same_origin::is_own(headers, &app.options.public_url) {
        return Err(Problem::foreign_origin());
    }
    Ok(caller)
}
