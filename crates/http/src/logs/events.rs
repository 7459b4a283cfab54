//! A log as server-sent events.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::stream;
use windlass_domain::LogLine;

use super::{
    follow::{Follow, Next},
    view::LogLineView,
};

/// How long a connection may be silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Answers with one event a line, and `event: end` after the last one there can be. Where reading
/// fails the stream just ends: the client comes back with `Last-Event-ID`.
pub(crate) fn answer(follow: Follow) -> Response {
    let start = Stream { follow, ready: VecDeque::new(), is_over: false };
    let events = stream::unfold(start, |mut stream| async {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

struct Stream {
    follow: Follow,
    ready: VecDeque<LogLine>,
    is_over: bool,
}

impl Stream {
    /// The next event. Asked only once the one before has been taken, so that a slow client holds
    /// up nobody and nothing piles up for it.
    async fn next(&mut self) -> Option<Event> {
        if self.ready.is_empty() && !self.is_over {
            match self.follow.next().await {
                Ok(Next::Lines(lines)) => self.ready.extend(lines),
                Ok(Next::Ended) => {
                    self.is_over = true;
                    return Some(Event::default().event("end").data("{}"));
                }
                Ok(Next::Paused) | Err(_) => self.is_over = true,
            }
        }
        let line = LogLineView::from(self.ready.pop_front()?);
        Event::default().id(line.seq.to_string()).json_data(&line).ok()
    }
}
