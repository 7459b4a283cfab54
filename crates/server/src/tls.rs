//! The door of apps with TLS: its listener, and the certificates of the operator.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use windlass_domain::{Clock as _, SystemClock};
use windlass_ingress::{Certificate, Certificates, Ingress};

use crate::config::{CertificateFiles, Tls};

/// How often to look whether the files have changed.
const LOOK: Duration = Duration::from_mins(1);
/// Before how much time a certificate's end is worth a warning.
const SOON: TimeDelta = TimeDelta::days(7);

/// Where apps are reached with TLS.
pub(crate) struct TlsDoor {
    listener: TcpListener,
    certificates: Certificates,
    files: Vec<CertificateFiles>,
}

impl TlsDoor {
    /// Binds it, where there is to be one, and reads the certificates.
    pub(crate) fn open(tls: &Tls) -> anyhow::Result<Option<Self>> {
        let Some(address) = tls.listen else { return Ok(None) };
        ensure!(
            !tls.certificates.is_empty(),
            "name at least one of `ingress.tls.certificates`: {{ certificate = \"…\", key = \"…\" }}"
        );
        let listener = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = listener.with_context(|| {
            format!("cannot listen on {address}: choose another `ingress.tls.listen`")
        })?;
        let certificates = Certificates::default();
        let door = Self { listener, certificates, files: tls.certificates.clone() };
        for (index, files) in door.files.iter().enumerate() {
            let certificate = read(files)?;
            if index == 0 {
                door.certificates.set_default(&certificate);
            }
            take(&door.certificates, files, &certificate);
        }
        Ok(Some(door))
    }

    pub(crate) fn port(&self) -> std::io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Serves apps until `stop`; certificates that are renewed meanwhile are taken over.
    pub(crate) async fn serve(
        self,
        ingress: Ingress,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        let Self { listener, certificates, files } = self;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let served = ingress.serve_tls(listener, certificates.clone(), stop.cancelled());
        tokio::join!(served, renew(&certificates, &files, &stop));
        Ok(())
    }
}

/// Reads the files again whenever they have changed.
async fn renew(certificates: &Certificates, files: &[CertificateFiles], stop: &CancellationToken) {
    let mut seen: Vec<_> = files.iter().map(changed_at).collect();
    while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        for (index, (files, seen)) in files.iter().zip(&mut seen).enumerate() {
            let now = changed_at(files);
            if now == *seen {
                continue;
            }
            match read(files) {
                Ok(certificate) => {
                    *seen = now;
                    if index == 0 {
                        certificates.set_default(&certificate);
                    }
                    take(certificates, files, &certificate);
                    let file = files.certificate.display();
                    tracing::info!(%file, "a certificate was renewed");
                }
                // Perhaps only one of the two files is there yet.
                Err(err) => tracing::warn!(error = format!("{err:#}"), "it stays as it was"),
            }
        }
    }
}

fn changed_at(files: &CertificateFiles) -> [Option<SystemTime>; 2] {
    let of = |path: &PathBuf| fs::metadata(path).and_then(|found| found.modified()).ok();
    [&files.certificate, &files.key].map(of)
}

fn read(files: &CertificateFiles) -> anyhow::Result<Certificate> {
    let CertificateFiles { certificate, key } = files;
    let text = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (chain, secret) = (text(certificate)?, SecretString::from(text(key)?));
    Certificate::from_pem(&chain, &secret).with_context(|| {
        format!("{} with {} is no certificate", certificate.display(), key.display())
    })
}

fn take(certificates: &Certificates, files: &CertificateFiles, certificate: &Certificate) {
    for name in certificate.names() {
        certificates.set(name, certificate);
    }
    if DateTime::<Utc>::from(certificate.expires_at()) < SystemClock.now() + SOON {
        let file = files.certificate.display();
        tracing::warn!(%file, "the certificate ends soon, or has ended: renew it");
    }
}
