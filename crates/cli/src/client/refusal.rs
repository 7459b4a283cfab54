//! The API's errors.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// The server answered, and not with success.
#[derive(Debug, Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// What went wrong, for people.
    message: String,
    /// What went wrong, for programs.
    pub(crate) code: String,
    /// The request's name in the server's logs.
    pub(crate) request_id: Option<String>,
    /// The body, where it is the API's.
    pub(crate) json: Option<Value>,
}

#[derive(Deserialize)]
struct Body {
    message: String,
    code: String,
    request_id: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        let json: Option<Value> = serde_json::from_str(body).ok();
        match json.as_ref().and_then(|json| Body::deserialize(json).ok()) {
            Some(Body { message, code, request_id }) => {
                Self { status, message, code, request_id, json }
            }
            // Something between here and the server has answered, or it is another server.
            None => Self {
                status,
                message: format!("the server answered {status}, and not as Windlass does"),
                code: format!("http_{status}"),
                request_id: None,
                json: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apis_words_are_kept() {
        let body = r#"{"error":"Not Found","message":"no such project","code":"not_found","request_id":"r-1"}"#;
        let refusal = Refusal::new(404, body);
        assert_eq!(refusal.to_string(), "no such project");
        assert_eq!(
            (refusal.code.as_str(), refusal.request_id.as_deref()),
            ("not_found", Some("r-1"))
        );
    }

    #[test]
    fn another_servers_words_are_not_taken_for_the_apis() {
        for body in ["<h1>Bad Gateway</h1>", "{}", ""] {
            let refusal = Refusal::new(502, body);
            assert_eq!(refusal.to_string(), "the server answered 502, and not as Windlass does");
            assert_eq!(refusal.json, None);
        }
    }
}
