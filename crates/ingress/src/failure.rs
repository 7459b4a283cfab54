//! Why an app gave no response, and what the client is told then.

use crate::{page::Page, pool::ConnectError, telemetry::UpstreamError};

/// Why an app gave no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the app has no address")]
    NoAddress,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the app broke off: {0}")]
    Response(hyper::Error),
    #[error("the app changed the protocol without being asked to")]
    UnexpectedUpgrade,
    #[error("the client broke off: {0}")]
    Client(hyper::Error),
    #[error("the app did not respond in time")]
    TimedOut,
}

impl Failure {
    pub(crate) fn page(&self) -> Page {
        match self {
            Self::NoAddress | Self::Connect(_) => Page::unreachable(),
            Self::Response(_) | Self::UnexpectedUpgrade => Page::broken_response(),
            Self::Client(_) => Page::invalid_body(),
            Self::TimedOut => Page::timed_out(),
        }
    }

    pub(crate) fn kind(&self) -> Option<UpstreamError> {
        match self {
            Self::NoAddress | Self::Connect(_) => Some(UpstreamError::Connect),
            Self::Response(_) | Self::UnexpectedUpgrade => Some(UpstreamError::Response),
            Self::TimedOut => Some(UpstreamError::Timeout),
            Self::Client(_) => None,
        }
    }
}
