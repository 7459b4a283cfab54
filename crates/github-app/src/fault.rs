//! How one request failed, before it is known what it was for.

use std::error::Error;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use octocrab::GitHubError;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{GitHubAppError, text};

/// How long to wait where GitHub does not say: what its documentation asks for.
const UNTOLD_WAIT: TimeDelta = TimeDelta::minutes(1);
/// GitHub's windows are an hour long; nobody may silence us for longer than this.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);
/// Most characters that are repeated of what was answered.
const MOST_CHARACTERS: usize = 300;

/// How one request failed.
#[derive(Debug)]
pub(crate) enum Fault {
    Refused(Refusal),
    Limited { retry_at: DateTime<Utc> },
    Unavailable { reason: String },
}

/// An answer by which GitHub does not do it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// GitHub's own words.
    pub(crate) message: String,
    /// The permissions of which one would do, as GitHub tells.
    pub(crate) permissions: Option<String>,
}

impl Fault {
    /// Reads what octocrab made of an answer to a request that carried a secret.
    pub(crate) fn new(err: octocrab::Error, now: DateTime<Utc>, secret: &SecretString) -> Self {
        let fault = if let octocrab::Error::GitHub { source, .. } = err {
            Self::answered(*source, now)
        } else {
            Self::unavailable(&reason(&err))
        };
        fault.without(secret)
    }

    pub(crate) fn unavailable(reason: &str) -> Self {
        Self::Unavailable { reason: reason.to_owned() }
    }

    fn answered(answer: GitHubError, now: DateTime<Utc>) -> Self {
        let status = answer.status_code;
        let headers = answer.headers.unwrap_or_default();
        if let Some(retry_at) = limited_until(status, &headers, &answer.message, now) {
            return Self::Limited { retry_at };
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return Self::unavailable(&format!("it answers with status {status}"));
        }
        let permissions = headers.get("x-accepted-github-permissions");
        let permissions = permissions.and_then(|value| value.to_str().ok());
        Self::Refused(Refusal {
            status,
            message: with_details(answer.message, &answer.errors.unwrap_or_default()),
            permissions: permissions.map(str::to_owned).filter(|text| !text.is_empty()),
        })
    }

    /// Whoever answers could repeat what was sent.
    fn without(self, secret: &SecretString) -> Self {
        let secret = secret.expose_secret();
        let clean = |text: &str| {
            let text =
                if secret.is_empty() { text.to_owned() } else { text.replace(secret, "…") };
            text::cut(&text::printable(&text), MOST_CHARACTERS)
        };
        match self {
            Self::Refused(refusal) => Self::Refused(Refusal {
                message: clean(&refusal.message),
                permissions: refusal.permissions.as_deref().map(clean),
                ..refusal
            }),
            Self::Limited { .. } => self,
            Self::Unavailable { reason } => Self::Unavailable { reason: clean(&reason) },
        }
    }

    /// As the error of a call, where a refusal is put into words by whoever knows what was asked.
    pub(crate) fn explained(
        self,
        explain: impl FnOnce(Refusal) -> GitHubAppError,
    ) -> GitHubAppError {
        match self {
            Self::Refused(refusal) => explain(refusal),
            Self::Limited { retry_at } => GitHubAppError::RateLimited { retry_at },
            Self::Unavailable { reason } => GitHubAppError::Unavailable { reason },
        }
    }
}

/// When GitHub may be asked again, if it is for having asked too much that it does not answer. Some
/// answers to that say so by nothing but their words.
fn limited_until(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
    let latest = now + LONGEST_WAIT;
    let at = |moment: DateTime<Utc>| Some(moment.clamp(now + TimeDelta::seconds(1), latest));
    if let Some(seconds) = number("retry-after") {
        return at(now + TimeDelta::seconds(seconds.into()));
    }
    if number("x-ratelimit-remaining") == Some(0) {
        let reset = number("x-ratelimit-reset");
        let reset = reset.and_then(|reset| DateTime::from_timestamp(reset.into(), 0));
        return at(reset.unwrap_or(now + UNTOLD_WAIT));
    }
    let says_so = message.to_lowercase().contains("rate limit");
    if says_so || status == StatusCode::TOO_MANY_REQUESTS { at(now + UNTOLD_WAIT) } else { None }
}

/// GitHub's words, and what it says of single fields.
fn with_details(message: String, errors: &[serde_json::Value]) -> String {
    let details = errors.iter().filter_map(|error| {
        let told = error.as_str().or_else(|| error.get("message")?.as_str());
        told.map(str::to_owned).or_else(|| {
            let text = |name| error.get(name).and_then(serde_json::Value::as_str);
            Some(format!("{} is {}", text("field")?, text("code")?))
        })
    });
    [message].into_iter().chain(details).collect::<Vec<_>>().join(": ")
}

/// The whole chain of causes, since the last one says most.
fn reason(err: &octocrab::Error) -> String {
    if matches!(err, octocrab::Error::Json { .. } | octocrab::Error::Serde { .. }) {
        return "its answer cannot be read".to_owned();
    }
    let mut texts: Vec<String> = Vec::new();
    let mut cause: Option<&dyn Error> = err.source();
    while let Some(err) = cause {
        let text = err.to_string();
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
        cause = err.source();
    }
    if texts.is_empty() { "the connection failed".to_owned() } else { texts.join(": ") }
}
