//! Certificates for daemons and whoever talks to them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Whom both sides trust.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// Writes what somebody of this name needs: the authority's certificate, theirs, and their key.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> [PathBuf; 3] {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &self.issuer).unwrap();
        let files = files(folder);
        let texts = [self.certificate.clone(), certificate.pem(), key.serialize_pem()];
        for (file, text) in files.iter().zip(texts) {
            fs::write(file, text).unwrap();
        }
        files
    }
}

/// Where they are.
pub(crate) fn files(folder: &Path) -> [PathBuf; 3] {
    ["ca.pem", "certificate.pem", "key.pem"].map(|name| folder.join(name))
}
