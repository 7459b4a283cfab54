//! Turns a presented credential into a principal.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use windlass_auth::{
    ApiKeyRecord, AuthError, CredentialKind, DirectoryError, ImportedFormat, KeyDirectory,
    KeyEntry, Principal, TokenError, looks_like_token,
};
use windlass_domain::{OrganizationId, UserId};
use windlass_storage::{Signal, Store, StoreError, UnitOfWork};

use crate::{Caller, Control, ControlError, Occasion, audit::Deed};

/// API keys in the database.
pub(crate) struct StoreKeyDirectory {
    store: Arc<dyn Store>,
}

impl StoreKeyDirectory {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    async fn find(&self, lookup: &str) -> Result<Option<KeyEntry>, StoreError> {
        let mut uow = self.store.read().await?;
        let Some(record) = uow.api_keys().find_by_lookup_of_everyone(lookup).await? else {
            return Ok(None);
        };
        with_role(&mut *uow, record).await.map(Some)
    }

    async fn formats(&self) -> Result<Vec<ImportedFormat>, StoreError> {
        self.store.read().await?.imported_formats().list_of_everyone().await
    }

    async fn find_imported(&self, start: &str) -> Result<Vec<KeyEntry>, StoreError> {
        let mut uow = self.store.read().await?;
        let records = uow.api_keys().find_by_imported_start_of_everyone(start).await?;
        let mut entries = Vec::with_capacity(records.len());
        for record in records {
            entries.push(with_role(&mut *uow, record).await?);
        }
        Ok(entries)
    }
}

#[async_trait]
impl KeyDirectory for StoreKeyDirectory {
    async fn find_key(&self, lookup: &str) -> Result<Option<KeyEntry>, DirectoryError> {
        self.find(lookup).await.map_err(DirectoryError::new)
    }

    async fn imported_formats(&self) -> Result<Vec<ImportedFormat>, DirectoryError> {
        self.formats().await.map_err(DirectoryError::new)
    }

    async fn find_imported_keys(&self, start: &str) -> Result<Vec<KeyEntry>, DirectoryError> {
        self.find_imported(start).await.map_err(DirectoryError::new)
    }
}

async fn with_role(uow: &mut dyn UnitOfWork, record: ApiKeyRecord) -> Result<KeyEntry, StoreError> {
    let role = uow.organizations().role_of(record.organization_id, record.created_by).await?;
    Ok(KeyEntry { record, creator_role: role })
}

/// What a request shows of who it comes from.
#[derive(Clone, Copy)]
pub struct Presentation<'a> {
    /// The credential.
    pub credential: PresentedCredential<'a>,
    /// The organization that it is to open, where one is named.
    pub organization: Option<OrganizationId>,
    /// Where the request comes from, as far as it is known.
    pub address: Option<IpAddr>,
}

/// A credential, as it was presented.
#[derive(Clone, Copy)]
pub enum PresentedCredential<'a> {
    /// An API key or a token.
    Bearer(&'a str),
    /// A token in the address of a request, which may be one that is good for nothing else.
    Link(&'a str),
    /// The session that a browser keeps.
    Session(&'a str),
}

impl<'a> Presentation<'a> {
    /// A key or token of which nothing else is known.
    #[must_use]
    pub fn bearer(text: &'a str) -> Self {
        let credential = PresentedCredential::Bearer(text);
        Self { credential, organization: None, address: None }
    }
}

/// Why a request is nobody's.
struct Stopped {
    err: ControlError,
    /// Whose the credential is, where it is a good one that is not good for this request.
    whose: Option<Arc<Principal>>,
}

impl Control {
    /// Whether it is slow work to find out whose credential is presented: a flood of such is to be
    /// stopped before.
    #[must_use]
    pub fn is_slow(&self, presentation: &Presentation<'_>) -> bool {
        match presentation.credential {
            PresentedCredential::Bearer(text) if !looks_like_token(text) => {
                self.inner.verifier.would_hash(text)
            }
            PresentedCredential::Bearer(_)
            | PresentedCredential::Link(_)
            | PresentedCredential::Session(_) => false,
        }
    }

    /// Finds out who asks for something, and notes it where that is nobody.
    pub async fn identify(
        &self,
        presentation: Presentation<'_>,
        occasion: Occasion,
    ) -> Result<Caller, ControlError> {
        let Stopped { err, whose } = match self.recognise(presentation).await {
            Ok(principal) => return Ok(self.caller(principal, occasion)),
            Err(stopped) => stopped,
        };
        if let Some(principal) = whose {
            self.inner.refusals.note(Deed::refused_to(&principal, &occasion, None));
        } else if matches!(err, ControlError::InvalidCredential(_)) {
            self.inner.refusals.note_stranger(&occasion);
        }
        Err(err)
    }

    /// Finds out to whom a presented credential belongs, and that it opens the organization that
    /// is named.
    pub async fn authenticate(
        &self,
        presentation: Presentation<'_>,
    ) -> Result<Arc<Principal>, ControlError> {
        self.recognise(presentation).await.map_err(|stopped| stopped.err)
    }

    async fn recognise(&self, presentation: Presentation<'_>) -> Result<Arc<Principal>, Stopped> {
        let Presentation { credential, organization, address } = presentation;
        let principal = match credential {
            PresentedCredential::Link(text) => self.verify_token(text, address).await?,
            PresentedCredential::Bearer(text) if looks_like_token(text) => {
                let principal = self.verify_token(text, address).await?;
                if principal.credential.is_link() {
                    return Err(ControlError::InvalidCredential(CredentialKind::Token).into());
                }
                principal
            }
            PresentedCredential::Bearer(text) => self.inner.verifier.verify(text, address).await?,
            PresentedCredential::Session(text) => self.verify_session(text, organization).await?,
        };
        if organization.is_some_and(|named| named != principal.organization_id) {
            return Err(Stopped { err: ControlError::WrongOrganization, whose: Some(principal) });
        }
        Ok(principal)
    }

    /// Forgets what was verified as soon as a credential or its person's place changes, here or on
    /// another server.
    pub(crate) async fn follow_credential_changes(&self, stop: &CancellationToken) {
        let mut signals = self.store().signals();
        while let Some(signal) = stop.run_until_cancelled(signals.recv()).await {
            match signal {
                Ok(Signal::ApiKey(id)) => {
                    self.inner.verifier.forget(id);
                    self.inner.tokens.forget_issued_by(id);
                }
                Ok(Signal::Token(id)) => self.inner.tokens.forget(id),
                Ok(Signal::Member(user)) => self.forget_credentials_of(user),
                Ok(Signal::Sessions(user)) => self.inner.sessions.forget_sessions_of(user),
                Ok(Signal::Anything) | Err(RecvError::Lagged(_)) => {
                    self.inner.verifier.forget_all();
                    self.inner.tokens.forget_all();
                    self.inner.sessions.forget_all();
                }
                Ok(
                    Signal::SigningKeys
                    | Signal::Jobs
                    | Signal::Log(_)
                    | Signal::Deployment(_)
                    | Signal::Environment(_),
                ) => {}
                Err(RecvError::Closed) => break,
            }
        }
    }

    /// Forgets what was verified for a person, whose place in an organization has changed.
    pub(crate) fn forget_credentials_of(&self, user: UserId) {
        self.inner.verifier.forget_keys_of(user);
        self.inner.tokens.forget_tokens_of(user);
        self.inner.sessions.forget_sessions_of(user);
    }

    /// Stores the hashes of keys that had been hashed at a lower cost than that of today.
    pub(crate) async fn write_rehashes(&self) -> Result<(), ControlError> {
        let rehashes = self.inner.verifier.taken_rehashes();
        if rehashes.is_empty() {
            return Ok(());
        }
        let mut uow = self.store().write().await?;
        for rehash in &rehashes {
            if uow.api_keys().replace_hash(rehash).await? {
                tracing::info!(api_key.id = %rehash.id, "API key hashed at the cost of today");
            }
        }
        uow.commit().await?;
        Ok(())
    }

    /// Writes down when keys were last used: in batches, never on a request's path.
    pub(crate) async fn write_key_uses(&self) -> Result<(), ControlError> {
        let uses = self.inner.verifier.taken_uses();
        if uses.is_empty() {
            return Ok(());
        }
        let mut uow = self.store().write().await?;
        uow.api_keys().note_used(&uses).await?;
        uow.commit().await?;
        Ok(())
    }
}

impl From<ControlError> for Stopped {
    fn from(err: ControlError) -> Self {
        Self { err, whose: None }
    }
}

impl From<TokenError> for Stopped {
    fn from(err: TokenError) -> Self {
        let whose = match &err {
            TokenError::WrongAddress(principal) => Some(Arc::clone(principal)),
            TokenError::Invalid | TokenError::Undecided(_) | TokenError::Unavailable(_) => None,
        };
        Self { err: err.into(), whose }
    }
}

impl From<AuthError> for Stopped {
    fn from(err: AuthError) -> Self {
        let whose = match &err {
            AuthError::WrongAddress(principal) => Some(Arc::clone(principal)),
            AuthError::Invalid | AuthError::Busy | AuthError::Unavailable(_) => None,
        };
        Self { err: err.into(), whose }
    }
}
