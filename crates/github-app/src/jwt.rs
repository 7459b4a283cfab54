//! What proves to GitHub that it is the App who asks: a JSON Web Token signed with its key.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
    sign::Signer,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::GitHubAppError;

/// Its beginning is put back by this much, since GitHub refuses what begins later by its own clock.
const BEFORE: TimeDelta = TimeDelta::minutes(1);
/// GitHub takes ten minutes at most, by its own clock.
const AFTER: TimeDelta = TimeDelta::minutes(8);

/// The App's number and key.
pub(crate) struct AppKey {
    app_id: u64,
    signer: Box<dyn Signer>,
}

impl AppKey {
    pub(crate) fn new(app_id: u64, pem: &SecretString) -> Result<Self, GitHubAppError> {
        let wrong = |why: &str| GitHubAppError::Misconfigured(format!("its private key {why}"));
        let key = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes());
        // The error may repeat parts of the key.
        let key = key.map_err(|_| {
            wrong(
                "must be the text of the `.pem` file from the App's settings, which begins with \
                 `-----BEGIN RSA PRIVATE KEY-----`",
            )
        })?;
        let key = any_supported_type(&key).map_err(|_| {
            wrong("cannot be read: it must be RSA, of 2048 to 8192 bits, without a passphrase")
        })?;
        let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        let signer = signer.ok_or_else(|| wrong("must be an RSA key"))?;
        Ok(Self { app_id, signer })
    }

    pub(crate) fn app_id(&self) -> u64 {
        self.app_id
    }

    /// A token for the next minutes.
    pub(crate) fn token(&self, now: DateTime<Utc>) -> Result<SecretString, GitHubAppError> {
        let head = json!({ "alg": "RS256", "typ": "JWT" });
        let (begins, ends) = ((now - BEFORE).timestamp(), (now + AFTER).timestamp());
        let claims = json!({ "iss": self.app_id, "iat": begins, "exp": ends });
        let [head, claims] =
            [head, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let said = format!("{head}.{claims}");
        let signature = self.signer.sign(said.as_bytes()).map_err(|_| {
            GitHubAppError::Misconfigured("its private key cannot sign anything".to_owned())
        })?;
        Ok(format!("{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)).into())
    }
}
