//! Servers are verified with the machine's own certificates.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    thread::{self, JoinHandle},
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::support::User;

const BODY: &str =
    r#"{"error":"Forbidden","message":"over TLS","code":"insufficient_scope","request_id":"r-1"}"#;

/// Answers one connection, if that comes so far; says its port and its certificate.
fn server() -> (u16, String, JoinHandle<()>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("localhost:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        if stream.read(&mut [0; 4096]).is_ok_and(|read| 0 < read) {
            let length = BODY.len();
            write!(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n\r\n{BODY}")
                .unwrap();
            stream.flush().unwrap();
        }
    });
    (port, cert.pem(), answering)
}

fn user(port: u16) -> User {
    let user = User::new().with("WINDLASS_SERVER", &format!("https://localhost:{port}"));
    user.with("WINDLASS_TOKEN", "secret")
}

#[test]
fn a_server_whose_certificate_the_machine_trusts_is_talked_to() {
    let (port, certificate, answering) = server();
    let user = user(port);
    let file = user.file("trusted.pem");
    fs::write(&file, certificate).unwrap();
    let user = user.with("SSL_CERT_FILE", file.to_str().unwrap());
    let failed = user.run("projects list").failed_with(4);
    assert!(failed.err.starts_with("error: over TLS\n"), "{failed:?}");
    answering.join().unwrap();
}

#[test]
fn another_server_is_not_trusted_with_anything() {
    let (port, _, answering) = server();
    let failed = user(port).run("projects list").failed_with(7);
    assert!(failed.err.contains("certificate"), "{failed:?}");
    answering.join().unwrap();
}
