//! An authority that issues certificates.

use std::{fmt, time::Duration};

use instant_acme::{
    Account as TheirAccount, AccountBuilder, AccountCredentials, ExternalAccountKey, NewAccount,
};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::Deserialize;
use tokio::time::timeout;

use crate::{
    account::Account,
    config::{AuthorityConfig, Checked},
    error::{AcmeError, Invalid},
    http::Http,
    patience::patiently,
};

/// An authority that issues certificates over ACME.
pub struct Authority {
    http: Http,
    directory: String,
    contact: Option<String>,
    external_account: Option<(String, SecretSlice<u8>)>,
    timeout: Duration,
}

/// The part of stored credentials that says whose they are.
#[derive(Deserialize)]
struct OpenedWith {
    directory: String,
}

impl Authority {
    /// Sets it up; nothing is asked yet.
    pub fn new(config: AuthorityConfig) -> Result<Self, Invalid> {
        let Checked { directory, contact, external_account, extra_roots, timeout } =
            config.check()?;
        Ok(Self { http: Http::new(extra_roots)?, directory, contact, external_account, timeout })
    }

    /// Opens an account, and with it agrees to the authority's terms of service. The credentials
    /// with which [`Self::account`] finds it again contain its key, as text to be stored in secret.
    pub async fn open_account(&self) -> Result<SecretString, AcmeError> {
        let contact: Vec<&str> = self.contact.as_deref().into_iter().collect();
        let account = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let external = self.external_account.as_ref().map(|(key_id, hmac_key)| {
            ExternalAccountKey::new(key_id.clone(), hmac_key.expose_secret())
        });
        let opened = self.in_time(async {
            let opened = patiently!(self.builder().create(
                &account,
                self.directory.clone(),
                external.as_ref()
            ));
            let (_, credentials) = opened?;
            serde_json::to_string(&credentials).map_err(|_| Invalid::Credentials.into())
        });
        opened.await.map(SecretString::from)
    }

    /// An account that was opened before.
    pub async fn account(&self, credentials: &SecretString) -> Result<Account, AcmeError> {
        // What is wrong with them is not told further: it might quote the key.
        let read = |_| Invalid::Credentials;
        let text = credentials.expose_secret();
        let OpenedWith { directory } = serde_json::from_str(text).map_err(read)?;
        if directory != self.directory {
            let ours = self.directory.clone();
            return Err(Invalid::OtherAuthority { theirs: directory, ours }.into());
        }
        let credentials: AccountCredentials = serde_json::from_str(text).map_err(read)?;
        let found =
            self.in_time(async { Ok(self.builder().from_credentials(credentials).await?) }).await?;
        Ok(Account::new(found, self.timeout))
    }

    fn builder(&self) -> AccountBuilder {
        TheirAccount::builder_with_http(Box::new(self.http.clone()))
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, AcmeError>> + Send,
    ) -> Result<T, AcmeError> {
        let late = |_| AcmeError::unavailable("it did not finish in time");
        timeout(self.timeout, work).await.map_err(late)?
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("directory", &self.directory).finish_non_exhaustive()
    }
}
