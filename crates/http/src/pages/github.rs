//! The way to GitHub.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Next, form};
use crate::app::Shared;

/// Leads to signing in with GitHub, where that is set up.
pub(super) fn button(app: &Shared, next: &Next) -> String {
    link(app, "next", next.as_str(), "Sign in with GitHub")
}

/// Leads to accepting an invitation with GitHub, where that is set up. It works from a page of ours
/// alone.
pub(super) fn accept(app: &Shared, invitation: &SecretString) -> String {
    link(app, "invitation", invitation.expose_secret(), "Accept with GitHub")
}

fn link(app: &Shared, name: &str, value: &str, text: &str) -> String {
    if !app.control.knows_github() {
        return String::new();
    }
    let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let href = form::escaped(&format!("/api/auth/github?{name}={value}"));
    format!("\n<p><a class=\"button\" href=\"{href}\">{text}</a></p>\n")
}
