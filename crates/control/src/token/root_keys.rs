//! The keys that sign tokens: in the database, sealed, so that all servers on it share them.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;
use windlass_auth::{NumberedKeysError, RootKeys};
use windlass_domain::Effects;
use windlass_storage::{Signal, Store, StoreError, StoredRootKey, UnitOfWork};

use crate::{
    Causes, Control, ControlError, Keyring, SealError,
    audit::{self, Deed},
    watch::Watch,
};

/// What becomes of the keys that signed before a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldRootKeys {
    /// What they have signed goes on working.
    Verify,
    /// What they have signed is refused from now on: somebody else may have them.
    Drop,
}

/// A key that signs all tokens from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRootKey {
    /// Its number.
    pub number: u32,
    /// Its public half, as other implementations of Biscuit write it, for whoever is to verify
    /// tokens elsewhere.
    pub public_key: String,
}

/// Makes a new key, which signs all tokens from now on. Servers that are running notice by
/// themselves.
pub async fn rotate_root_key(
    store: &dyn Store,
    keyring: &Keyring,
    fx: Effects<'_>,
    old: OldRootKeys,
) -> Result<NewRootKey, ControlError> {
    let mut uow = store.write().await?;
    let mut keys = read(&mut *uow, keyring).await?;
    let number = add(&mut *uow, &mut keys, keyring, fx).await?;
    if old == OldRootKeys::Drop {
        uow.root_keys().delete_before(number).await?;
    }
    let first = uow.organizations().first_of_everyone().await?;
    if let Some(organization) = first {
        // It signs for everybody; who runs the server began with this organization.
        let deed = Deed::by_operator(organization.id, "rotate_root_key", None);
        audit::write_down(&mut *uow, deed, fx).await?;
    }
    uow.signal(Signal::RootKeys);
    uow.commit().await?;
    let public_key = keys.public_key(number).unwrap_or_default();
    Ok(NewRootKey { number, public_key })
}

impl Control {
    /// The keys, of which there is at least one.
    pub(crate) async fn root_keys(&self) -> Result<Arc<RootKeys>, ControlError> {
        let known = self.inner.tokens.root_keys();
        if known.numbers().next().is_some() {
            return Ok(known);
        }
        self.load_root_keys().await?;
        if self.inner.tokens.root_keys().numbers().next().is_none() {
            self.make_root_key().await?;
        }
        Ok(self.inner.tokens.root_keys())
    }

    /// Reads the keys anew.
    pub(crate) async fn load_root_keys(&self) -> Result<(), ControlError> {
        let mut uow = self.store().read().await?;
        self.use_root_keys(read(&mut *uow, &self.inner.keyring).await?);
        Ok(())
    }

    /// Uses other keys as soon as there are others, here or on another server.
    pub(crate) async fn follow_root_keys(&self, stop: &CancellationToken) {
        let mut watch = Watch::new(self, Signal::RootKeys);
        while stop.run_until_cancelled(watch.changed()).await.is_some() {
            if let Err(err) = self.load_root_keys().await {
                tracing::warn!(error = %Causes(&err), "cannot read the keys that sign tokens");
            }
        }
    }

    /// Makes the first key, unless another server is faster.
    async fn make_root_key(&self) -> Result<(), ControlError> {
        let mut uow = self.store().write().await?;
        let mut keys = RootKeys::none();
        match add(&mut *uow, &mut keys, &self.inner.keyring, self.fx()).await {
            Ok(number) => {
                uow.signal(Signal::RootKeys);
                uow.commit().await?;
                tracing::info!(number, "made the key that signs tokens");
                self.use_root_keys(keys);
                Ok(())
            }
            Err(AddError::Store(StoreError::Taken(_))) => {
                drop(uow);
                self.load_root_keys().await
            }
            Err(err) => Err(err.into()),
        }
    }

    fn use_root_keys(&self, keys: RootKeys) {
        let known = self.inner.tokens.root_keys();
        // A number is never given twice.
        if !known.numbers().eq(keys.numbers()) {
            self.inner.tokens.use_root_keys(keys);
        }
    }
}

async fn read(uow: &mut dyn UnitOfWork, keyring: &Keyring) -> Result<RootKeys, ControlError> {
    let stored = uow.root_keys().list().await?;
    if stored.is_empty() {
        return Ok(RootKeys::none());
    }
    let mut lines = String::new();
    for StoredRootKey { number, sealed, created_at: _ } in stored {
        let line = keyring.open(&bound_to(number), &sealed)?;
        lines.push_str(line.expose_secret());
    }
    let keys = RootKeys::parse(&SecretString::from(lines));
    keys.map_err(|err: NumberedKeysError| ControlError::Internal(Box::new(err)))
}

/// Why there is no further key.
#[derive(Debug, thiserror::Error)]
enum AddError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Makes a further key and stores it.
async fn add(
    uow: &mut dyn UnitOfWork,
    keys: &mut RootKeys,
    keyring: &Keyring,
    fx: Effects<'_>,
) -> Result<u32, AddError> {
    let number = keys.rotate(fx.entropy);
    let line = keys.line(number).unwrap_or_default();
    let sealed = keyring.seal(&bound_to(number), &line, fx.entropy)?;
    let key = StoredRootKey { number, sealed, created_at: fx.clock.now() };
    uow.root_keys().insert(&key).await?;
    Ok(number)
}

/// A sealed key opens in its own place only.
fn bound_to(number: u32) -> String {
    format!("root_key/{number}")
}

impl From<AddError> for ControlError {
    fn from(err: AddError) -> Self {
        match err {
            AddError::Store(err) => err.into(),
            AddError::Seal(err) => err.into(),
        }
    }
}
