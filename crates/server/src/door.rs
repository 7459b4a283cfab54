//! The API's door: takes connections, bounds them, lets what is under way end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::Layer as _;
use windlass_http::Peer;

/// Most connections at once; the next ones wait until one of them ends.
const CONNECTIONS: usize = 4_000;
/// How long a client may take for a request's headers, and may stay silent between requests.
const HEADERS: Duration = Duration::from_secs(30);
/// How long to wait after the system could give no connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`; then takes no more connections, and returns once those under way have
/// ended or `limit` is over.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    limit: Duration,
) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEADERS);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Some((stream, peer, place)) = next(&listener, &places, &stop).await {
        let service = Extension(Peer(peer)).layer(router.clone());
        let connection = builder
            .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // One that the client broke off is nobody's fault.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    if timeout(limit, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that did not end in time are cut off");
    }
}

/// The next connection and its place; `None` once the door closes.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let accepted = async {
        // The semaphore is never closed.
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return Some((stream, peer, place)),
                Err(err) => {
                    tracing::warn!(error = %err, "cannot take a connection");
                    sleep(PAUSE).await;
                }
            }
        }
    };
    let (stream, peer, place) = stop.run_until_cancelled(accepted).await??;
    // Answers are small: they are not to wait for one another.
    let _ = stream.set_nodelay(true);
    Some((stream, peer, place))
}
