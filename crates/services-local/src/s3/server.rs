//! The HTTP server before all buckets.

use std::{convert::Infallible, io, net::Ipv4Addr, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::Body;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::{OpenBuckets, http::answer};
use crate::ports::Ports;

/// Its name among the ports.
const NAME: &str = "s3";

/// Connections at once, of all apps.
const CONNECTIONS: usize = 1_024;

/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// How often it tries to get its port back: that of the server before it may only just be closing.
const TRIES: u32 = 20;
const TRY_EVERY: Duration = Duration::from_millis(50);

/// Serves until it is dropped.
#[derive(Debug)]
pub(crate) struct S3Server {
    port: u16,
    task: JoinHandle<()>,
}

impl S3Server {
    /// Listens on the port that it had, where that can be.
    pub(crate) async fn start(ports: &Ports, buckets: Arc<OpenBuckets>) -> io::Result<Self> {
        let listener = listen(ports).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(accept(listener, buckets));
        Ok(Self { port, task })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn works(&self) -> bool {
        !self.task.is_finished()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(ports: &Ports) -> io::Result<TcpListener> {
    if let Some(port) = ports.of(NAME) {
        for _ in 0..TRIES {
            if let Ok(listener) = bind(port).await {
                return Ok(listener);
            }
            sleep(TRY_EVERY).await;
        }
    }
    // Somebody else may choose the same one in this moment; then it is not free any more.
    for _ in 0..TRIES {
        if let Ok(listener) = bind(ports.choose(NAME)?).await {
            return Ok(listener);
        }
    }
    bind(ports.choose(NAME)?).await
}

async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

async fn accept(listener: TcpListener, buckets: Arc<OpenBuckets>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    // They end with us.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let buckets = Arc::clone(&buckets);
                connections.spawn(async move {
                    serve(stream, buckets).await;
                    drop(slot);
                });
            }
            Err(error) => {
                // Such as too many open files, which takes a while to pass.
                tracing::warn!(%error, "a connection for S3 cannot be taken");
                sleep(TRY_EVERY).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, buckets: Arc<OpenBuckets>) {
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let buckets = Arc::clone(&buckets);
        async move { Ok::<_, Infallible>(answer(&buckets, request.map(Body::from)).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection for S3 has broken");
    }
}
