//! `GET /api/audit`

use axum::{Extension, extract::State, http::Uri, response::Response};
use serde::Deserialize;
use utoipa::IntoParams;
use windlass_auth::AuditOutcome;
use windlass_control::{AuditFilter, Caller, Control};

use super::view::{AuditEntryView, OutcomeView};
use crate::{
    extract::Query,
    moment::moment,
    page::PageQuery,
    problem::{ErrorBody, Problem},
};

/// Who can be an actor: people and credentials.
pub(crate) const ACTORS: [&str; 4] = ["usr", "key", "tok", "ses"];
/// What lines are about.
pub(crate) const TARGETS: [&str; 10] =
    ["org", "usr", "proj", "env", "dep", "var", "key", "tok", "ses", "inv"];

/// Which lines are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only what this person did or was refused, or whoever presented this credential.
    #[param(example = "usr_01kdvdna000000000000000001")]
    actor: Option<String>,
    /// Only what was asked for by this name: an operation's id.
    #[param(pattern = "^[a-z_][a-z0-9_]{0,99}$", example = "create_project")]
    action: Option<String>,
    /// Only what came to this.
    #[param(inline)]
    outcome: Option<OutcomeView>,
    /// Only what was about this thing.
    #[param(example = "proj_01kdvdna000000000000000003")]
    target: Option<String>,
    /// Only what happened from then on: an ISO 8601 date (midnight, UTC) or date-time.
    #[param(example = "2026-01-01")]
    from: Option<String>,
    /// Only what happened before: an ISO 8601 date (midnight, UTC) or date-time.
    #[param(example = "2026-02-01T00:00:00Z")]
    to: Option<String>,
}

/// List the audit log.
///
/// What was done in the organization and what was refused, newest first. Credentials that open
/// nothing are told of in the log of the organization that the server was installed with: one line
/// for each address (for each /64 of IPv6) and about a minute, which says how often. The log is
/// one of the organization: a credential that is bound to projects does not see it.
#[utoipa::path(
    get,
    path = "/api/audit",
    tag = "audit",
    params(AuditQuery, PageQuery),
    responses(
        (status = 200, description = "One page", body = Vec<AuditEntryView>),
        (status = 422, description = "The end is earlier than the beginning", body = ErrorBody),
    ),
)]
pub(crate) async fn list_audit_log(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    Query(query): Query<AuditQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let (filter, request) = (query.filter()?, page.request()?);
    let found = windlass_control::list_audit_log(&control, &caller, &filter, request).await?;
    Ok(page.answer(&uri, found, |entry| entry.id, AuditEntryView::from))
}

impl AuditQuery {
    fn filter(self) -> Result<AuditFilter, Problem> {
        Ok(AuditFilter {
            actor: identifier("actor", &ACTORS, self.actor)?,
            action: action(self.action)?,
            outcome: self.outcome.map(AuditOutcome::from),
            target: identifier("target", &TARGETS, self.target)?,
            from: moment("from", self.from.as_deref())?,
            to: moment("to", self.to.as_deref())?,
        })
    }
}

/// The name of a use case, of today or of long ago.
fn action(given: Option<String>) -> Result<Option<String>, Problem> {
    let letter = |it: u8| it.is_ascii_digit() || it.is_ascii_lowercase() || it == b'_';
    let is_name = |text: &str| {
        let begins = |first: u8| letter(first) && !first.is_ascii_digit();
        text.len() <= 100 && text.bytes().next().is_some_and(begins) && text.bytes().all(letter)
    };
    match given {
        Some(text) if !is_name(&text) => Err(Problem::bad_query(
            "`action` must be the id of an operation, such as `create_project`",
        )),
        given => Ok(given),
    }
}

/// An identifier of one of several kinds. What cannot be any finds nothing, which is better said.
fn identifier(
    name: &str,
    kinds: &[&str],
    given: Option<String>,
) -> Result<Option<String>, Problem> {
    let digit = |it: u8| it.is_ascii_digit() || it.is_ascii_lowercase();
    let is_one = |text: &str| {
        text.split_once('_').is_some_and(|(kind, digits)| {
            kinds.contains(&kind) && digits.len() == 26 && digits.bytes().all(digit)
        })
    };
    match given {
        Some(text) if !is_one(&text) => Err(Problem::bad_query(format!(
            "`{name}` must be an identifier that begins with one of {}",
            kinds.iter().map(|kind| format!("`{kind}_`")).collect::<Vec<_>>().join(", "),
        ))),
        given => Ok(given),
    }
}
