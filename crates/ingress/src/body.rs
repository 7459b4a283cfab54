//! Bodies on their way through.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::{pool::Lease, progress::Progress, telemetry::RequestInFlight};

/// What a client sends to an app.
pub(crate) struct RequestBody {
    body: Incoming,
    progress: Progress,
}

impl RequestBody {
    pub(crate) fn new(body: Incoming, progress: Progress) -> Self {
        Self { body, progress }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.progress.mark();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What a client gets: an app's body or a page of ours. Counts as in flight until it is dropped.
pub(crate) struct ResponseBody {
    source: Source,
    _in_flight: Option<RequestInFlight>,
}

enum Source {
    Nothing,
    Page(Full<Bytes>),
    App { body: Incoming, has_ended: bool, lease: Option<Lease> },
}

impl ResponseBody {
    pub(crate) fn nothing() -> Self {
        Self { source: Source::Nothing, _in_flight: None }
    }

    pub(crate) fn page(bytes: Bytes, in_flight: RequestInFlight) -> Self {
        Self { source: Source::Page(Full::new(bytes)), _in_flight: Some(in_flight) }
    }

    /// The connection is free again once the body was read to its end; dropped before, it is
    /// closed, and the app notices that nobody listens.
    pub(crate) fn app(body: Incoming, lease: Lease, in_flight: RequestInFlight) -> Self {
        let source = Source::App { body, has_ended: false, lease: Some(lease) };
        Self { source, _in_flight: Some(in_flight) }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.source {
            Source::Nothing => Poll::Ready(None),
            Source::Page(page) => Pin::new(page).poll_frame(cx).map_err(|never| match never {}),
            Source::App { body, has_ended, .. } => {
                let frame = ready!(Pin::new(body).poll_frame(cx));
                *has_ended = frame.is_none();
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Nothing => true,
            Source::Page(page) => page.is_end_stream(),
            Source::App { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Nothing => SizeHint::with_exact(0),
            Source::Page(page) => page.size_hint(),
            Source::App { body, .. } => body.size_hint(),
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if let Source::App { body, has_ended, lease } = &mut self.source
            && (*has_ended || body.is_end_stream())
            && let Some(lease) = lease.take()
        {
            lease.give_back();
        }
    }
}
