//! Pebble, the authority that Let's Encrypt has for tests.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};
use windlass_acme::{Account, Authority, AuthorityConfig, ExternalAccount};

use crate::{dns::NameServer, tls};

/// Longer than anything may take; only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What an external account is called, and its key.
pub(crate) const KEY_ID: &str = "kid-1";
pub(crate) const HMAC_KEY: &str =
    "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// How it differs from what it does by itself.
#[derive(Default)]
pub(crate) struct Manner {
    /// Where it looks at challenges.
    pub(crate) site: Option<SocketAddr>,
    /// How many in a hundred good nonces it refuses.
    pub(crate) refused_nonces: u8,
    /// How many in a hundred authorizations that are still valid it uses again.
    pub(crate) reused_authorizations: u8,
    /// Whether accounts have to be known elsewhere.
    pub(crate) wants_external_account: bool,
}

/// It runs until this is dropped.
pub(crate) struct Pebble {
    pub(crate) address: SocketAddr,
    pub(crate) management: SocketAddr,
    /// What its own server is verified by.
    pub(crate) server_root: String,
    _kept: (Child, NameServer, TempDir),
}

impl Pebble {
    pub(crate) async fn start(manner: Manner) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server_root = write_certificate(folder.path());
        let names = NameServer::start().await;
        // Somebody else may take a port in between.
        for _ in 0..5 {
            let [address, management] = free_addresses();
            write_config(folder.path(), &manner, address, management);
            let mut child = spawn(folder.path(), &manner, names.address);
            if listens(&mut child, address, management).await {
                let kept = (child, names, folder);
                return Self { address, management, server_root, _kept: kept };
            }
        }
        let said = std::fs::read_to_string(folder.path().join("output")).unwrap();
        panic!("`pebble` does not start:\n{said}");
    }

    pub(crate) fn directory(&self) -> String {
        format!("https://{}/dir", self.address)
    }

    pub(crate) fn config(&self) -> AuthorityConfig {
        AuthorityConfig {
            directory: self.directory(),
            contact: Some("ops@example.com".to_owned()),
            external_account: None,
            extra_roots: Some(self.server_root.clone()),
            timeout: PATIENCE,
        }
    }

    pub(crate) fn config_with_external_account(&self, key_id: &str) -> AuthorityConfig {
        let external_account =
            ExternalAccount { key_id: key_id.to_owned(), hmac_key: HMAC_KEY.into() };
        AuthorityConfig { external_account: Some(external_account), ..self.config() }
    }

    pub(crate) fn authority(&self) -> Authority {
        Authority::new(self.config()).unwrap()
    }

    pub(crate) async fn account(&self) -> Account {
        let authority = self.authority();
        authority.account(&authority.open_account().await.unwrap()).await.unwrap()
    }

    /// The root of the certificates that it issues.
    pub(crate) async fn issuing_root(&self) -> String {
        tls::get(self.management, &self.server_root, "/roots/0").await
    }
}

/// Two addresses at which nobody listens.
fn free_addresses() -> [SocketAddr; 2] {
    let listeners = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

/// A certificate for its own server; returns its root.
fn write_certificate(folder: &Path) -> String {
    let mut root = CertificateParams::new([]).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &Issuer::new(root, root_key))
        .unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    root_pem
}

fn write_config(folder: &Path, manner: &Manner, address: SocketAddr, management: SocketAddr) {
    let config = serde_json::json!({
        "pebble": {
            "listenAddress": address,
            "managementListenAddress": management,
            "certificate": folder.join("certificate.pem"),
            "privateKey": folder.join("key.pem"),
            "httpPort": manner.site.map_or(9, |site| site.port()),
            "tlsPort": 9,
            "externalAccountBindingRequired": manner.wants_external_account,
            "externalAccountMACKeys": { KEY_ID: HMAC_KEY },
            "domainBlocklist": ["blocked.example"],
        }
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

fn spawn(folder: &Path, manner: &Manner, names: SocketAddr) -> Child {
    let output = File::create(folder.join("output")).unwrap();
    let child = Command::new("pebble")
        .arg("-config")
        .arg(folder.join("config.json"))
        .args(["-dnsserver", &names.to_string()])
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_WFE_NONCEREJECT", manner.refused_nonces.to_string())
        .env("PEBBLE_AUTHZREUSE", manner.reused_authorizations.to_string())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    child.expect("these tests need `pebble`; install it: sudo apt-get install -y pebble")
}

/// Waits until it listens, or has ended.
async fn listens(child: &mut Child, address: SocketAddr, management: SocketAddr) -> bool {
    let start = Instant::now();
    for address in [address, management] {
        while TcpStream::connect(address).await.is_err() {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(start.elapsed() < PATIENCE, "`pebble` does not listen");
            sleep(Duration::from_millis(20)).await;
        }
    }
    // Whoever listens may be somebody else who was quicker.
    child.try_wait().unwrap().is_none()
}
