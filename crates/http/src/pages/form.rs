//! What a form sends, and how it is drawn.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use secrecy::SecretString;

use crate::{app::Shared, problem::Problem, same_origin};

/// Longer than any form that somebody fills in.
const MOST_BYTES: usize = 16 * 1024;

/// A form that was sent from one of our own pages.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// The first value of a field; empty where there is none.
    pub(super) fn text(&self, name: &str) -> String {
        let found = self.0.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The same for what nobody else is to see.
    pub(super) fn secret(&self, name: &str) -> SecretString {
        self.text(name).into()
    }
}

impl FromRequest<Shared> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        if same_origin::is_foreign(request.headers(), &app.options.public_url) {
            return Err(Problem::foreign_origin());
        }
        if !is_form(request.headers()) {
            return Err(Problem::unreadable("this is for forms"));
        }
        let refuse = |_| Problem::unreadable("the form cannot be read");
        let body = axum::body::to_bytes(request.into_body(), MOST_BYTES).await.map_err(refuse)?;
        Ok(Self(pairs(&body)))
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn pairs(body: &Bytes) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// A labelled field; what `value` holds is shown in it.
pub(super) fn field(kind: &str, name: &str, label: &str, value: &str, more: &str) -> String {
    let value = escaped(value);
    format!(
        "<label for=\"{name}\">{label}</label>\n\
         <input id=\"{name}\" name=\"{name}\" type=\"{kind}\" value=\"{value}\" required {more}>\n"
    )
}

/// What goes along unseen.
pub(super) fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escaped(value))
}

/// What went wrong, if anything.
pub(super) fn problem(message: Option<&str>) -> String {
    let paragraph =
        |message| format!("<p class=\"problem\" role=\"alert\">{}</p>\n", escaped(message));
    message.map(paragraph).unwrap_or_default()
}

/// A text in a form in which it is nothing but a text, between tags and in quotes alike.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
        escaped
    })
}
