//! What a client wants of a log, and how it is answered.

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::IgnoredAny};
use utoipa::IntoParams;
use windlass_control::{Caller, LogReader};

use super::{
    accept::Form,
    events,
    follow::Follow,
    permit::{Log, Permit},
    text,
    view::LogView,
};
use crate::{app::Shared, authentication::Shown, extract::Query, problem::Problem};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// No line has a greater number: up to here, every JSON parser is exact.
const MAX_SEQ: u64 = (1 << 53) - 1;

/// Which lines are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogQuery {
    /// Only lines after the one of this number.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    after_seq: Option<u64>,
    /// Most lines in an answer as JSON.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<u32>,
    /// Whether an answer as text goes on with what is printed from now on.
    follow: Option<bool>,
    /// The token of a link, which was looked at before.
    #[param(ignore)]
    #[serde(rename = "token")]
    _token: Option<IgnoredAny>,
}

/// What a client wants of a log.
pub(crate) struct LogRequest {
    form: Form,
    after: u64,
    limit: u32,
    follow: bool,
    /// What the client has shown, unless nobody looks at credentials.
    shown: Option<Shown>,
}

impl LogRequest {
    /// Answers with a log in the form that the client prefers.
    pub(crate) async fn answer(
        self,
        app: Shared,
        caller: Caller,
        log: Log,
    ) -> Result<Response, Problem> {
        let Self { form, after, limit, follow, shown } = self;
        let permit = Permit { log, caller, shown };
        let reader = permit.open(&app.control).await?;
        match form {
            Form::Json => {
                let chunk = reader.read(after, limit).await?;
                Ok(Json(LogView::from(chunk)).into_response())
            }
            Form::Events => Ok(events::answer(Follow::new(app, permit, reader, after, true))),
            Form::Text => Ok(text::answer(Follow::new(app, permit, reader, after, follow))),
        }
    }
}

impl FromRequestParts<Shared> for LogRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let Query(LogQuery { after_seq, limit, follow, _token }) =
            Query::from_request_parts(parts, app).await?;
        let limit = limit.unwrap_or(LogReader::MAX_LINES);
        if !(1..=LogReader::MAX_LINES).contains(&limit) {
            return Err(Problem::bad_query("`limit` must be between 1 and 1000"));
        }
        let after = last_event_id(&parts.headers)?.or(after_seq).unwrap_or(0);
        if MAX_SEQ < after {
            return Err(Problem::bad_query("`after_seq` must be the number of a line"));
        }
        let follow = follow.unwrap_or(false);
        let shown = parts.extensions.get::<Shown>().cloned();
        Ok(Self { form: Form::wanted(&parts.headers), after, limit, follow, shown })
    }
}

/// Where a client that has lost its connection was. An empty one says nothing.
fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    match headers.get(LAST_EVENT_ID) {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => {
            let seq = value.to_str().ok().and_then(|text| text.parse().ok());
            let refuse = || Problem::unreadable("`Last-Event-ID` must be the number of a line");
            seq.map(Some).ok_or_else(refuse)
        }
    }
}
