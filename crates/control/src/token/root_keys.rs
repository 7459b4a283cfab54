//! The keys that sign tokens.

use std::sync::Arc;

use windlass_auth::RootKeys;
use windlass_domain::Effects;
use windlass_storage::Store;

use crate::{
    Control, ControlError, Keyring,
    signing_keys::{self, OldKeys},
};

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
    old: OldKeys,
) -> Result<NewRootKey, ControlError> {
    let (keys, number) =
        signing_keys::rotate::<RootKeys>(store, keyring, fx, old, "rotate_root_key").await?;
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
            let keyring = &self.inner.keyring;
            self.use_root_keys(signing_keys::make_first(self.store(), keyring, self.fx()).await?);
        }
        Ok(self.inner.tokens.root_keys())
    }

    /// Reads the keys anew.
    pub(crate) async fn load_root_keys(&self) -> Result<(), ControlError> {
        let mut uow = self.store().read().await?;
        self.use_root_keys(signing_keys::read(&mut *uow, &self.inner.keyring).await?);
        Ok(())
    }

    fn use_root_keys(&self, keys: RootKeys) {
        let known = self.inner.tokens.root_keys();
        // A number is never given twice.
        if !known.numbers().eq(keys.numbers()) {
            self.inner.tokens.use_root_keys(keys);
        }
    }
}
