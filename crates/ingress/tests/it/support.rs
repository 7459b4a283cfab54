//! A proxy, clients and apps to play with.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
        BufReader,
    },
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use windlass_ingress::{Certificates, External, Ingress, IngressConfig, Limits, Scheme, Target};

/// Longer than anything may take; only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A proxy that listens.
pub(crate) struct Proxy {
    pub(crate) ingress: Ingress,
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

pub(crate) fn config(limits: Limits) -> IngressConfig {
    let external = External { scheme: Scheme::Http, port: 8081 };
    IngressConfig { base_domain: "localhost".to_owned(), external, https: None, limits }
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::serve(Ingress::new(config(limits))).await
    }

    pub(crate) async fn serve(ingress: Ingress) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = ingress.clone();
        let serving = tokio::spawn(async move {
            server.serve(listener, async { drop(stopped.await) }).await;
        });
        Self { ingress, address, stop, serving }
    }

    pub(crate) async fn serve_tls(ingress: Ingress, certificates: Certificates) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = ingress.clone();
        let serving = tokio::spawn(async move {
            server.serve_tls(listener, certificates, async { drop(stopped.await) }).await;
        });
        Self { ingress, address, stop, serving }
    }

    /// A proxy with an app at `app.localhost`.
    pub(crate) async fn with_app() -> (Self, App) {
        let (proxy, app) = (Self::start().await, App::bind().await);
        proxy.route("app", &[&app]);
        (proxy, app)
    }

    pub(crate) fn route(&self, label: &str, apps: &[&App]) {
        self.ingress.routes().set(label, target(apps));
    }

    pub(crate) async fn client(&self) -> Peer {
        Peer::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// What the proxy says to these bytes until it closes.
    pub(crate) async fn answer(&self, request: impl AsRef<[u8]>) -> String {
        let mut client = self.client().await;
        client.send(request).await;
        String::from_utf8(client.rest().await).unwrap()
    }

    /// Tells the proxy to stop; the handle resolves once it has.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.stop.send(()).unwrap();
        self.serving
    }
}

pub(crate) fn target(apps: &[&App]) -> Target {
    Target::App { id: "app".to_owned(), addresses: apps.iter().map(|app| app.address).collect() }
}

/// An app that does what the test does in its name.
pub(crate) struct App {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl App {
    pub(crate) async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) async fn accept(&self) -> Peer {
        Peer::new(timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap().0)
    }

    /// Answers every request with `body`, one after another on kept connections.
    pub(crate) fn answer_always(self, body: &'static str) -> SocketAddr {
        tokio::spawn(async move {
            while let Ok((stream, _)) = self.listener.accept().await {
                tokio::spawn(async move {
                    let mut peer = Peer::new(stream);
                    while peer.next_head().await.is_some() {
                        peer.respond(body).await;
                    }
                });
            }
        });
        self.address
    }
}

/// One end of a connection to the proxy.
pub(crate) struct Peer(BufReader<Box<dyn Stream>>);

/// Whatever carries bytes.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    pub(crate) fn over(stream: impl Stream + 'static) -> Self {
        Self(BufReader::new(Box::new(stream)))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(PATIENCE, self.0.write_all(bytes.as_ref())).await.unwrap().unwrap();
        timeout(PATIENCE, self.0.flush()).await.unwrap().unwrap();
    }

    /// Writes unless that takes longer than `limit`; how many bytes were taken.
    pub(crate) async fn try_send(&mut self, bytes: &[u8], limit: Duration) -> usize {
        timeout(limit, self.0.write(bytes)).await.map_or(0, Result::unwrap)
    }

    pub(crate) async fn get(&mut self, path: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: app.localhost\r\n\r\n")).await;
    }

    pub(crate) async fn respond(&mut self, body: &str) {
        let length = body.len();
        self.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")).await;
    }

    /// The next message's first line and headers, in lower case.
    pub(crate) async fn head(&mut self) -> String {
        timeout(PATIENCE, self.next_head()).await.unwrap().expect("the connection has ended")
    }

    pub(crate) async fn next_head(&mut self) -> Option<String> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        Some(head.to_ascii_lowercase())
    }

    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(PATIENCE, self.0.read_line(&mut line)).await.unwrap().unwrap();
        line
    }

    pub(crate) async fn exactly(&mut self, count: usize) -> String {
        let mut bytes = vec![0; count];
        timeout(PATIENCE, self.0.read_exact(&mut bytes)).await.unwrap().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    pub(crate) async fn skip(&mut self, count: usize) {
        let mut left = count;
        while 0 < left {
            let available = timeout(PATIENCE, self.0.fill_buf()).await.unwrap().unwrap().len();
            assert_ne!(available, 0, "the connection ended with {left} bytes to come");
            let taken = available.min(left);
            self.0.consume(taken);
            left -= taken;
        }
    }

    /// Everything until the connection ends, by whatever means.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.unwrap();
        bytes
    }

    pub(crate) async fn finish_sending(&mut self) {
        self.0.shutdown().await.unwrap();
    }
}

/// The value of a header in a head, which is in lower case.
pub(crate) fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
