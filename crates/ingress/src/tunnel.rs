//! Connections that have left HTTP: WebSocket and other upgrades.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio_util::sync::CancellationToken;

use crate::{pool::Lease, progress::Progress, telemetry::RequestInFlight};

/// Both ends of a tunnel, and what it keeps alive.
pub(crate) struct Tunnel {
    pub(crate) client: OnUpgrade,
    pub(crate) app: OnUpgrade,
    /// The connection to the app, on its way until the tunnel ends.
    pub(crate) lease: Lease,
    pub(crate) in_flight: RequestInFlight,
    pub(crate) idle: Duration,
    /// The server stops.
    pub(crate) closing: CancellationToken,
}

impl Tunnel {
    /// Carries bytes in both directions until both sides are done, one fails, nothing has moved
    /// for too long, or the tunnel has to be closed.
    pub(crate) async fn run(self) {
        let Self { client, app, lease, in_flight, idle, closing } = self;
        let closing_tunnels = lease.closing_tunnels().clone();
        tokio::select! {
            () = closing.cancelled() => {}
            () = closing_tunnels.cancelled() => {}
            () = carry(client, app, idle) => {}
        }
        drop((lease, in_flight));
    }
}

async fn carry(client: OnUpgrade, app: OnUpgrade, idle: Duration) {
    let progress = Progress::default();
    let both = async {
        let (client, app) = tokio::try_join!(client, app).map_err(io::Error::other)?;
        let mut client = Watched { io: TokioIo::new(client), progress: progress.clone() };
        copy_bidirectional(&mut client, &mut TokioIo::new(app)).await
    };
    match progress.until_still(idle, both).await {
        Some(Ok((sent, received))) => tracing::trace!(sent, received, "a tunnel ended"),
        Some(Err(error)) => tracing::debug!(%error, "a tunnel broke"),
        None => tracing::debug!("a silent tunnel was closed"),
    }
}

/// A connection that tells when bytes pass.
struct Watched {
    io: TokioIo<Upgraded>,
    progress: Progress,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.io).poll_read(cx, buf));
        self.progress.mark();
        Poll::Ready(read)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf));
        self.progress.mark();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
