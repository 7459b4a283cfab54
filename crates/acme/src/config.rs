//! Which authority is asked for certificates, and as whom.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Uri, uri::Scheme};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use crate::error::Invalid;

/// Which authority is asked for certificates, and as whom.
#[derive(Debug, Clone)]
pub struct AuthorityConfig {
    /// Where its directory is, such as `https://acme-v02.api.letsencrypt.org/directory`.
    pub directory: String,
    /// An e-mail address at which it reaches whoever runs this server.
    pub contact: Option<String>,
    /// An account with the authority that there is already, where it wants one to be named.
    pub external_account: Option<ExternalAccount>,
    /// Certificates in PEM that the authority's own server may be verified by, besides those of
    /// this machine.
    pub extra_roots: Option<String>,
    /// How long it may take to open an account, or to get one certificate.
    pub timeout: Duration,
}

/// An account that was opened elsewhere, as with `ZeroSSL` (RFC 8555, 7.3.4).
#[derive(Debug, Clone)]
pub struct ExternalAccount {
    /// By what the authority knows it.
    pub key_id: String,
    /// The secret for HMAC that goes with it, in base64url.
    pub hmac_key: SecretString,
}

/// The same, read.
pub(crate) struct Checked {
    pub(crate) directory: String,
    pub(crate) contact: Option<String>,
    pub(crate) external_account: Option<(String, SecretSlice<u8>)>,
    pub(crate) extra_roots: Vec<CertificateDer<'static>>,
    pub(crate) timeout: Duration,
}

impl AuthorityConfig {
    pub(crate) fn check(self) -> Result<Checked, Invalid> {
        let Self { directory, contact, external_account, extra_roots, timeout } = self;
        let is_address = directory.parse().is_ok_and(|uri: Uri| {
            uri.scheme() == Some(&Scheme::HTTPS) && uri.host().is_some_and(|host| !host.is_empty())
        });
        if !is_address {
            return Err(Invalid::Directory(directory));
        }
        let contact = contact.map(|address| mailto(&address)).transpose()?;
        let external_account = external_account.map(decoded).transpose()?;
        let extra_roots = extra_roots.as_deref().map_or_else(|| Ok(Vec::new()), certificates)?;
        Ok(Checked { directory, contact, external_account, extra_roots, timeout })
    }
}

/// The address of a page that writes a letter. RFC 8555 (7.3) allows it but one recipient, and no
/// header fields.
fn mailto(address: &str) -> Result<String, Invalid> {
    let is_plain =
        address.bytes().all(|byte| byte.is_ascii_graphic() && !b",?&%<>".contains(&byte));
    let has_parts = address
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if is_plain && has_parts {
        Ok(format!("mailto:{address}"))
    } else {
        Err(Invalid::Contact(address.to_owned()))
    }
}

fn decoded(account: ExternalAccount) -> Result<(String, SecretSlice<u8>), Invalid> {
    let ExternalAccount { key_id, hmac_key } = account;
    let text = hmac_key.expose_secret().trim().trim_end_matches('=');
    match BASE64_URL_SAFE_NO_PAD.decode(text) {
        Ok(key) if !key.is_empty() && !key_id.is_empty() => Ok((key_id, key.into())),
        // What is wrong with it is not told further: it would quote the key.
        _ => Err(Invalid::ExternalAccount),
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Invalid> {
    match CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Invalid::ExtraRoots),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::{AuthorityConfig, ExternalAccount};
    use crate::Invalid;

    pub(crate) fn config() -> AuthorityConfig {
        AuthorityConfig {
            directory: "https://acme.example/directory".to_owned(),
            contact: None,
            external_account: None,
            extra_roots: None,
            timeout: Duration::from_mins(1),
        }
    }

    #[test]
    fn a_directory_is_an_address_with_tls() {
        for bad in ["", "acme.example", "http://acme.example/directory", "https://", "https:///a"] {
            let err = AuthorityConfig { directory: bad.to_owned(), ..config() }.check().err();
            assert_eq!(err, Some(Invalid::Directory(bad.to_owned())));
        }
        assert!(config().check().is_ok());
    }

    #[test]
    fn a_contact_is_one_e_mail_address() {
        let with = |address: &str| {
            let contact = Some(address.to_owned());
            AuthorityConfig { contact, ..config() }.check().map(|checked| checked.contact)
        };
        let good = with("ops@example.com").unwrap();
        assert_eq!(good.as_deref(), Some("mailto:ops@example.com"));
        for bad in ["", "ops", "@", "a@", "@a", "a@b,c@d", "a@b?subject=x", "a b@c", "a@b@c"] {
            assert_eq!(with(bad), Err(Invalid::Contact(bad.to_owned())));
        }
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_refused_and_not_shown() {
        let with = |key_id: &str, hmac_key: &str| {
            let account = ExternalAccount { key_id: key_id.to_owned(), hmac_key: hmac_key.into() };
            let config = AuthorityConfig { external_account: Some(account), ..config() };
            let shown = format!("{config:?}");
            assert!(hmac_key.is_empty() || !shown.contains(hmac_key), "{shown}");
            config.check().map(|checked| checked.external_account.is_some())
        };
        for good in ["c2VjcmV0LQ", "c2VjcmV0LQ==", "_-_-\n"] {
            assert_eq!(with("kid-1", good), Ok(true), "{good}");
        }
        for bad in ["", "hunter 2", "+/+/"] {
            let err = with("kid-1", bad).unwrap_err();
            assert_eq!(err, Invalid::ExternalAccount);
            assert!(bad.is_empty() || !err.to_string().contains(bad), "{err}");
        }
        assert_eq!(with("", "c2VjcmV0LQ"), Err(Invalid::ExternalAccount));
    }

    #[test]
    fn extra_roots_are_certificates() {
        for bad in ["", "nothing", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let config = AuthorityConfig { extra_roots: Some(bad.to_owned()), ..config() };
            assert_eq!(config.check().err(), Some(Invalid::ExtraRoots), "{bad}");
        }
    }
}
