//! A proxy in front of one app, for measurements: `proxy LISTEN APP [CERTIFICATE KEY]`, where the
//! app answers at `app.localhost`, with TLS if there are files of a certificate and its key.
//! Without an app, it answers `hello` itself, as an app to measure with.

use std::{convert::Infallible, env, error::Error, fs, future, net::SocketAddr};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use windlass_ingress::{
    Certificate, Certificates, External, Ingress, IngressConfig, Limits, Scheme, Target,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let listen = arguments.next().ok_or("usage: proxy LISTEN [APP [CERTIFICATE KEY]]")?;
    let listener = TcpListener::bind(listen).await?;
    let Some(app) = arguments.next() else { return be_an_app(listener).await };
    let ingress = Ingress::new(IngressConfig {
        base_domain: "localhost".to_owned(),
        external: External { scheme: Scheme::Http, port: listener.local_addr()?.port() },
        https: None,
        limits: Limits::default(),
    });
    let addresses = vec![app.parse::<SocketAddr>()?];
    ingress.routes().set("app", Target::App { id: "app".to_owned(), addresses });
    if let (Some(chain), Some(key)) = (arguments.next(), arguments.next()) {
        let key = fs::read_to_string(key)?.into();
        let certificate = Certificate::from_pem(&fs::read_to_string(chain)?, &key)?;
        let certificates = Certificates::default();
        certificates.set("app.localhost", &certificate);
        ingress.serve_tls(listener, certificates, future::pending()).await;
    } else {
        ingress.serve(listener, future::pending()).await;
    }
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
