//! A certificate that was issued, with its key.

use std::fmt;

use chrono::{DateTime, Utc};
use rcgen::{KeyPair, PublicKeyData as _};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::SecretString;
use x509_parser::parse_x509_certificate;

use crate::error::AcmeError;

/// A certificate that was issued, with its key.
pub struct Issued {
    /// The certificate, followed by those that lead from it to a root, in PEM.
    pub chain_pem: String,
    /// The private key that goes with it, in PEM: ECDSA P-256.
    pub key_pem: SecretString,
    /// From when clients accept it.
    pub not_before: DateTime<Utc>,
    /// Until when clients accept it.
    pub not_after: DateTime<Utc>,
}

impl Issued {
    /// Makes sure that the authority has signed the key that it was given: whoever serves the
    /// certificate relies on it.
    pub(crate) fn new(chain_pem: String, key: &KeyPair) -> Result<Self, AcmeError> {
        let fault = |what: &str| AcmeError::unavailable(format!("its certificate {what}"));
        let chain = CertificateDer::pem_slice_iter(chain_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| fault("is not valid PEM text"))?;
        let first = chain.first().ok_or_else(|| fault("is missing"))?;
        let (_, first) =
            parse_x509_certificate(first).map_err(|_| fault("is not one of X.509 version 3"))?;
        if first.public_key().raw != key.subject_public_key_info() {
            return Err(fault("is for another key"));
        }
        let validity = first.validity();
        let time = |seconds| {
            DateTime::from_timestamp(seconds, 0).ok_or_else(|| fault("is for no time of ours"))
        };
        Ok(Self {
            not_before: time(validity.not_before.timestamp())?,
            not_after: time(validity.not_after.timestamp())?,
            key_pem: key.serialize_pem().into(),
            chain_pem,
        })
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain_pem: _, key_pem: _, not_before, not_after } = self;
        f.debug_struct("Issued")
            .field("not_before", not_before)
            .field("not_after", not_after)
            .finish_non_exhaustive()
    }
}
