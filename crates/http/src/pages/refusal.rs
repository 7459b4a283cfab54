//! What somebody sees who cannot sign in.

use axum::{http::StatusCode, response::Response};

use super::form;
use crate::problem::ErrorBody;

/// An error as a page, with what can be done about it.
pub(crate) fn refusal(status: StatusCode, error: &ErrorBody) -> Response {
    let takes_over = if error.code == "account_has_password" {
        "<p><a href=\"/api/auth/github?take_over=true\">Take the account over</a></p>\n"
    } else {
        ""
    };
    let body = [
        form::problem(Some(&error.message)),
        takes_over.to_owned(),
        "<p><a href=\"/login\">Sign in</a></p>\n".to_owned(),
        format!("<p><small>Request {}</small></p>", form::escaped(&error.request_id)),
    ];
    super::page(status, "You are not signed in", &body.concat())
}
