//! Answers that have nothing to do with what is asked.

use std::time::Duration;

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};

/// An answer that has nothing to do with what is asked.
#[derive(Clone)]
pub(crate) enum Canned {
    /// A status, headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// None for a long time.
    Hang,
    /// A refusal that repeats the credentials.
    Echo(u16),
}

impl Canned {
    pub(crate) fn message(status: u16, message: &str) -> Self {
        Self::Status(status, vec![], format!("{{\"message\":\"{message}\"}}"))
    }

    pub(super) async fn answer(self, headers: &HeaderMap) -> Response {
        match self {
            Self::Hang => {
                tokio::time::sleep(Duration::from_secs(20)).await;
                StatusCode::NO_CONTENT.into_response()
            }
            Self::Echo(status) => {
                let status = StatusCode::from_u16(status).unwrap();
                (status, format!("you sent {:?}", headers["authorization"].to_str().unwrap()))
                    .into_response()
            }
            Self::Status(status, headers, body) => {
                let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
                for (name, value) in headers {
                    response.headers_mut().insert(name, value.parse().unwrap());
                }
                response
            }
        }
    }
}
