//! A proxy in front of one app, for measurements: `proxy LISTEN APP`, where the app answers at
//! `app.localhost`. Without an app, it answers `hello` itself, as an app to measure with.

use std::{convert::Infallible, env, error::Error, future, net::SocketAddr};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use windlass_ingress::{External, Ingress, IngressConfig, Limits, Scheme, Target};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let listen = arguments.next().ok_or("usage: proxy LISTEN [APP]")?;
    let listener = TcpListener::bind(listen).await?;
    let Some(app) = arguments.next() else { return be_an_app(listener).await };
    let ingress = Ingress::new(IngressConfig {
        base_domain: "localhost".to_owned(),
        external: External { scheme: Scheme::Http, port: listener.local_addr()?.port() },
        limits: Limits::default(),
    });
    let addresses = vec![app.parse::<SocketAddr>()?];
    ingress.routes().set("app", Target::App { id: "app".to_owned(), addresses });
    ingress.serve(listener, future::pending()).await;
    Ok(())
}

async fn be_an_app(listener: TcpListener) -> Result<(), Box<dyn Error>> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let hello = service_fn(|_| async {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello\n"))))
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), hello));
    }
}
