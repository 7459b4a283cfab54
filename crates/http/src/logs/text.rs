//! A log as plain text.

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use windlass_control::ControlError;

use super::follow::{Follow, Next};

/// Answers with the lines' texts. Where reading fails the connection is broken off, so that nobody
/// takes a part for the whole.
pub(crate) fn answer(follow: Follow) -> Response {
    let chunks = stream::try_unfold(follow, |mut follow| async {
        let text = match follow.next().await? {
            Next::Lines(lines) => {
                lines.iter().fold(String::new(), |text, line| text + line.text.as_str() + "\n")
            }
            Next::Ended | Next::Paused => return Ok(None),
        };
        Ok::<_, ControlError>(Some((text, follow)))
    });
    let media_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (media_type, Body::from_stream(chunks)).into_response()
}
