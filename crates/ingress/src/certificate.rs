//! A certificate and its key, read from PEM.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{
    Error as TlsError, InconsistentKeys,
    client::verify_server_name,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem, pem::PemObject as _},
    server::ParsedCertificate,
    sign::CertifiedKey,
};
use secrecy::{ExposeSecret as _, SecretString};
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

/// A certificate with its chain and its private key; clones share them.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    key: Arc<CertifiedKey>,
    names: Vec<String>,
    expires_at: SystemTime,
}

/// Why a text is no certificate with its key. Says nothing of the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCertificate {
    /// No section of the text is a certificate.
    #[error("there is no certificate: expected PEM text with `-----BEGIN CERTIFICATE-----`")]
    NoCertificate,
    /// The certificates are no PEM text.
    #[error("the certificate is not valid PEM text: {0}")]
    CertificateText(#[source] pem::Error),
    /// One of them is no certificate of X.509 version 3.
    #[error("the certificate cannot be read: expected X.509 version 3: {0}")]
    CertificateContent(String),
    /// No section of the text is a key.
    #[error(
        "there is no private key: expected PEM text with `-----BEGIN PRIVATE KEY-----`, unencrypted"
    )]
    NoKey,
    /// The key is no PEM text.
    #[error("the private key is not valid PEM text")]
    KeyText,
    /// The key cannot be used.
    #[error(
        "the private key cannot be used: expected ECDSA P-256 or P-384, Ed25519, or RSA of 2048 \
         to 4096 bits"
    )]
    UnsupportedKey,
    /// The key is another certificate's.
    #[error(
        "the private key does not match the certificate: expected the key of the first certificate \
         of the text"
    )]
    KeyMismatch,
}

impl Certificate {
    /// Reads a certificate, followed by those that lead from it to an authority, and its key. That
    /// it has expired is no fault here: ask [`Self::expires_at`].
    pub fn from_pem(chain: &str, key: &SecretString) -> Result<Self, InvalidCertificate> {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(InvalidCertificate::CertificateText)?;
        let first = chain.first().ok_or(InvalidCertificate::NoCertificate)?;
        let (names, expires_at) = read(first)?;
        // What is wrong with its text is not told further: it might quote the key.
        let key =
            PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()).map_err(|error| {
                if matches!(error, pem::Error::NoItemsFound) {
                    InvalidCertificate::NoKey
                } else {
                    InvalidCertificate::KeyText
                }
            })?;
        let provider = default_provider();
        let key = provider.key_provider.load_private_key(key);
        let key = key.map_err(|_| InvalidCertificate::UnsupportedKey)?;
        let key = CertifiedKey::new(chain, key);
        key.keys_match().map_err(|error| {
            if matches!(error, TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch)) {
                InvalidCertificate::KeyMismatch
            } else {
                InvalidCertificate::CertificateContent(error.to_string())
            }
        })?;
        Ok(Self { inner: Arc::new(Inner { key: Arc::new(key), names, expires_at }) })
    }

    /// The host names that it says it is for, in lower case; `*.` stands for one label.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.inner.names
    }

    /// Until when clients accept it.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.inner.expires_at
    }

    /// Whether a client may take it for `host`.
    pub(crate) fn covers(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let (Ok(certificate), Ok(host)) = (self.inner.key.end_entity_cert(), host.try_into())
        else {
            return false;
        };
        let host: ServerName<'_> = host;
        ParsedCertificate::try_from(certificate)
            .is_ok_and(|certificate| verify_server_name(&certificate, &host).is_ok())
    }

    pub(crate) fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.inner.key)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { key: _, names, expires_at } = &*self.inner;
        f.debug_struct("Certificate")
            .field("names", names)
            .field("expires_at", expires_at)
            .finish_non_exhaustive()
    }
}

/// The names in a certificate, and when it expires.
fn read(certificate: &[u8]) -> Result<(Vec<String>, SystemTime), InvalidCertificate> {
    let unreadable =
        |error: &dyn fmt::Display| InvalidCertificate::CertificateContent(error.to_string());
    let (_, certificate) =
        parse_x509_certificate(certificate).map_err(|error| unreadable(&error))?;
    let alternatives =
        certificate.subject_alternative_name().map_err(|error| unreadable(&error))?;
    let names = alternatives.iter().flat_map(|names| &names.value.general_names);
    let names = names.filter_map(|name| {
        let GeneralName::DNSName(name) = name else { return None };
        Some(name.to_ascii_lowercase())
    });
    let names = names.collect();
    let seconds = certificate.validity().not_after.timestamp();
    let expires_at = u64::try_from(seconds).unwrap_or(0);
    Ok((names, SystemTime::UNIX_EPOCH + Duration::from_secs(expires_at)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::{any, proptest};
    use rcgen::{
        CertificateParams, CertifiedKey, KeyPair, date_time_ymd, generate_simple_self_signed,
    };
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    use secrecy::{ExposeSecret as _, SecretString};

    use super::{Certificate, InvalidCertificate, read};

    fn made_for(names: &[&str]) -> (String, SecretString) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        (cert.pem(), signing_key.serialize_pem().into())
    }

    fn fault(chain: &str, key: &str) -> InvalidCertificate {
        Certificate::from_pem(chain, &key.to_owned().into()).unwrap_err()
    }

    #[test]
    fn a_certificate_tells_its_names_and_when_it_expires() {
        let key = KeyPair::generate().unwrap();
        let names =
            ["Shop.example".to_owned(), "*.apps.example".to_owned(), "192.0.2.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = date_time_ymd(2001, 2, 3);
        let chain = params.self_signed(&key).unwrap().pem();
        let certificate = Certificate::from_pem(&chain, &key.serialize_pem().into()).unwrap();
        assert_eq!(certificate.names(), ["shop.example", "*.apps.example"]);
        let expired = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 11_356);
        assert_eq!(certificate.expires_at(), expired, "and is accepted all the same");
        for covered in ["shop.example", "a.apps.example", "192.0.2.1"] {
            assert!(certificate.covers(covered), "{covered}");
        }
        for other in ["apps.example", "a.b.apps.example", "192.0.2.2", "[::1]", "", "a b"] {
            assert!(!certificate.covers(other), "{other}");
        }
    }

    #[test]
    fn a_chain_and_a_key_may_be_in_one_text() {
        let (chain, key) = made_for(&["a.example"]);
        let (authority, _) = made_for(&["authority.example"]);
        let all = format!("# Ours\n{chain}{authority}{}", key.expose_secret());
        let certificate = Certificate::from_pem(&all, &all.clone().into()).unwrap();
        assert_eq!(certificate.names(), ["a.example"]);
        assert_eq!(certificate.key().cert.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let (chain, key) = made_for(&["a.example"]);
        let (other_chain, other_key) = made_for(&["a.example"]);
        let (key, other_key) = (key.expose_secret(), other_key.expose_secret());
        let mangled = |text: &str| text.replacen('M', "!", 1);
        let swapped = chain.replace("CERTIFICATE", "PRIVATE KEY");
        let no_certificate = key.replace("PRIVATE KEY", "CERTIFICATE");
        for (chain, key, message) in [
            ("", key, "there is no certificate"),
            (key, key, "there is no certificate"),
            (&mangled(&chain), key, "the certificate is not valid PEM text"),
            (&no_certificate, key, "the certificate cannot be read"),
            (&chain, "", "there is no private key"),
            (&chain, &chain, "there is no private key"),
            (&chain, &mangled(key), "the private key is not valid PEM text"),
            (&chain, &swapped, "the private key cannot be used"),
            (&chain, other_key, "the private key does not match the certificate"),
            (&format!("{other_chain}{chain}"), key, "the private key does not match"),
        ] {
            let told = fault(chain, key).to_string();
            assert!(told.starts_with(message), "{message}: {told}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let (chain, key) = made_for(&["a.example"]);
        let shown = format!("{:?}", Certificate::from_pem(&chain, &key).unwrap());
        assert!(shown.contains("a.example"), "{shown}");
        let broken = key.expose_secret().replace("-----END", "--END");
        let told = format!("{shown}{0:?}{0}", fault(&chain, &broken));
        for line in key.expose_secret().lines().filter(|line| !line.starts_with('-')) {
            assert!(!told.contains(line), "{told}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(chain in ".*", key in ".*") {
            let key = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
            let _ = Certificate::from_pem(&chain, &SecretString::from(key));
        }

        #[test]
        fn a_damaged_certificate_is_read_or_refused(place in any::<usize>(), byte in any::<u8>()) {
            let (chain, _) = made_for(&["a.example", "*.apps.example"]);
            let mut certificate = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap().to_vec();
            let place = place % certificate.len();
            certificate[place] = byte;
            let _ = read(&certificate);
        }
    }
}
