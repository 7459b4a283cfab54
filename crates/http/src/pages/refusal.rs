//! What people see of an error, where programs get a body.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::Response,
};

use super::form;
use crate::problem::{ErrorBody, Problem};

/// Whether somebody looks at what comes: browsers ask for pages when people go somewhere.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let wanted = headers.get_all(header::ACCEPT).into_iter().filter_map(|it| it.to_str().ok());
    wanted.flat_map(|it| it.split(',')).any(|it| it.trim().starts_with("text/html"))
}

/// Where an answer is that of an error, has it shown as a page.
pub(crate) fn show_problem_in(answer: &mut Response) {
    if let Some(problem) = answer.extensions_mut().get_mut::<Problem>() {
        problem.show_as_page();
    }
}

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
    super::page(status, title(status), &body.concat())
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::TOO_MANY_REQUESTS => "Too many requests",
        StatusCode::SERVICE_UNAVAILABLE => "Not available for now",
        _ if status.is_server_error() => "Something went wrong here",
        _ => "You are not signed in",
    }
}
