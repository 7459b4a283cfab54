//! A proxy with TLS, an authority that it trusts, and clients that do so too.

use std::{io, ops::Deref, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, combinators::BoxBody};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    AlertDescription, ClientConfig, Error as TlsError, RootCertStore, SupportedProtocolVersion,
    crypto::ring::default_provider, pki_types::ServerName, version::TLS13,
};
use secrecy::SecretString;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use windlass_ingress::{Certificate, Certificates, Ingress, Limits};

use crate::support::{App, PATIENCE, Peer, Proxy, config};

/// Whom the clients trust.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    roots: Arc<RootCertStore>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(params.self_signed(&key).unwrap().der().clone()).unwrap();
        Self { issuer: Issuer::new(params, key), roots: Arc::new(roots) }
    }

    pub(crate) fn issue(&self, names: &[&str]) -> Certificate {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer);
        let key = SecretString::from(key.serialize_pem());
        Certificate::from_pem(&certificate.unwrap().pem(), &key).unwrap()
    }
}

/// A proxy that listens with TLS, and has an app and a certificate for `app.localhost`.
pub(crate) struct Secure {
    pub(crate) proxy: Proxy,
    pub(crate) certificates: Certificates,
    pub(crate) authority: Authority,
}

impl Deref for Secure {
    type Target = Proxy;

    fn deref(&self) -> &Proxy {
        &self.proxy
    }
}

/// How a client begins.
#[derive(Clone, Copy)]
pub(crate) struct Hello<'a> {
    pub(crate) name: &'a str,
    pub(crate) says_name: bool,
    pub(crate) alpn: &'a [&'a str],
    pub(crate) version: &'static SupportedProtocolVersion,
}

impl<'a> Hello<'a> {
    pub(crate) fn to(name: &'a str, alpn: &'a [&'a str]) -> Self {
        Self { name, says_name: true, alpn, version: &TLS13 }
    }
}

impl Secure {
    pub(crate) async fn start() -> (Self, App) {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> (Self, App) {
        Self::serve(Ingress::new(config(limits))).await
    }

    pub(crate) async fn serve(ingress: Ingress) -> (Self, App) {
        let (certificates, authority) = (Certificates::default(), Authority::new());
        certificates.set("app.localhost", &authority.issue(&["app.localhost"]));
        let proxy = Proxy::serve_tls(ingress, certificates.clone()).await;
        let app = App::bind().await;
        proxy.route("app", &[&app]);
        (Self { proxy, certificates, authority }, app)
    }

    pub(crate) async fn connect(&self, hello: Hello<'_>) -> io::Result<TlsStream<TcpStream>> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[hello.version])
            .unwrap()
            .with_root_certificates(Arc::clone(&self.authority.roots))
            .with_no_client_auth();
        config.alpn_protocols = hello.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config.enable_sni = hello.says_name;
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(hello.name.to_owned()).unwrap();
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        timeout(PATIENCE, handshake).await.unwrap()
    }

    /// A client of HTTP/1.1 that is at `name`.
    pub(crate) async fn http1(&self, name: &str) -> Peer {
        Peer::over(self.connect(Hello::to(name, &["http/1.1"])).await.unwrap())
    }

    /// A client of HTTP/2 at `app.localhost`.
    pub(crate) async fn http2(&self) -> Client {
        Client::over(self.connect(Hello::to("app.localhost", &["h2"])).await.unwrap()).await
    }

    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.proxy.stop()
    }
}

/// Why a handshake failed, as the client is told.
pub(crate) fn alert(result: io::Result<TlsStream<TcpStream>>) -> AlertDescription {
    let error = result.err().unwrap().into_inner().unwrap();
    let error = *error.downcast::<TlsError>().unwrap();
    let TlsError::AlertReceived(alert) = error else { panic!("no alert: {error}") };
    alert
}

/// A client of HTTP/2.
pub(crate) struct Client {
    sender: http2::SendRequest<BoxBody<Bytes, hyper::Error>>,
    pub(crate) connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn over(stream: TlsStream<TcpStream>) -> Self {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = timeout(PATIENCE, handshake).await.unwrap().unwrap();
        Self { sender, connection: tokio::spawn(connection) }
    }

    /// Sends a request without waiting for its response.
    pub(crate) fn send(
        &mut self,
        request: Request<BoxBody<Bytes, hyper::Error>>,
    ) -> JoinHandle<hyper::Result<Response<Incoming>>> {
        let response = self.sender.send_request(request);
        tokio::spawn(async move { timeout(PATIENCE, response).await.unwrap() })
    }

    pub(crate) fn get(&mut self, uri: &str) -> JoinHandle<hyper::Result<Response<Incoming>>> {
        self.send(get(uri))
    }
}

pub(crate) fn get(uri: &str) -> Request<BoxBody<Bytes, hyper::Error>> {
    Request::get(uri).body(empty()).unwrap()
}

pub(crate) fn empty() -> BoxBody<Bytes, hyper::Error> {
    Empty::new().map_err(|never| match never {}).boxed()
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    let body = timeout(PATIENCE, response.into_body().collect()).await.unwrap().unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}
