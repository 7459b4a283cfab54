//! Keys that sign what the server hands out: sealed in the database, shared by all servers on it,
//! and succeeding one another by number.

mod stored;

use std::sync::Arc;

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use windlass_auth::{NumberedKeysError, RootKeys, SessionKeys};
use windlass_domain::{Effects, Entropy};
use windlass_storage::{Signal, SigningPurpose, Store};

use self::stored::{make_first, read, rotate};
use crate::{Causes, Control, ControlError, Keyring, watch::Watch};

/// What becomes of the keys that signed before a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKeys {
    /// What they have signed goes on working.
    Verify,
    /// What they have signed is refused from now on: somebody else may have them.
    Drop,
}

/// Keys for one purpose.
pub(crate) trait SigningKeys: Sized + Send + Sync {
    const PURPOSE: SigningPurpose;

    fn none() -> Self;
    fn parse(text: &SecretString) -> Result<Self, NumberedKeysError>;
    fn rotate(&mut self, entropy: &dyn Entropy) -> u32;
    fn line(&self, number: u32) -> Option<SecretString>;
    fn numbers(&self) -> Vec<u32>;
    /// Those that this server uses now.
    fn in_use(control: &Control) -> Arc<Self>;
    /// Has this server use these.
    fn put_to_use(self, control: &Control);
}

macro_rules! signing_keys {
    ($($keys:ty { $purpose:ident, $verifier:ident.$in_use:ident, $put_to_use:ident })*) => {
        $(
            impl SigningKeys for $keys {
                const PURPOSE: SigningPurpose = SigningPurpose::$purpose;

                fn none() -> Self {
                    Self::none()
                }
                fn parse(text: &SecretString) -> Result<Self, NumberedKeysError> {
                    Self::parse(text)
                }
                fn rotate(&mut self, entropy: &dyn Entropy) -> u32 {
                    self.rotate(entropy)
                }
                fn line(&self, number: u32) -> Option<SecretString> {
                    self.line(number)
                }
                fn numbers(&self) -> Vec<u32> {
                    self.numbers().collect()
                }
                fn in_use(control: &Control) -> Arc<Self> {
                    control.inner.$verifier.$in_use()
                }
                fn put_to_use(self, control: &Control) {
                    control.inner.$verifier.$put_to_use(self);
                }
            }
        )*
    };
}

signing_keys! {
    RootKeys { Tokens, tokens.root_keys, use_root_keys }
    SessionKeys { Sessions, sessions.keys, use_keys }
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
    old: OldKeys,
) -> Result<NewRootKey, ControlError> {
    let (keys, number) = rotate::<RootKeys>(store, keyring, fx, old, "rotate_root_key").await?;
    let public_key = keys.public_key(number).unwrap_or_default();
    Ok(NewRootKey { number, public_key })
}

/// Makes a new key, which signs all sessions from now on, and gives its number. Servers that are
/// running notice by themselves.
pub async fn rotate_session_key(
    store: &dyn Store,
    keyring: &Keyring,
    fx: Effects<'_>,
    old: OldKeys,
) -> Result<u32, ControlError> {
    let action = "rotate_session_key";
    let (_, number) = rotate::<SessionKeys>(store, keyring, fx, old, action).await?;
    Ok(number)
}

impl Control {
    /// The keys that sign, of which there is at least one.
    pub(crate) async fn signing_keys<K: SigningKeys>(&self) -> Result<Arc<K>, ControlError> {
        let known = K::in_use(self);
        if !known.numbers().is_empty() {
            return Ok(known);
        }
        self.load_signing_keys::<K>().await?;
        if K::in_use(self).numbers().is_empty() {
            let first = make_first(self.store(), &self.inner.keyring, self.fx()).await?;
            self.use_signing_keys::<K>(first);
        }
        Ok(K::in_use(self))
    }

    /// Reads the keys anew.
    pub(crate) async fn load_signing_keys<K: SigningKeys>(&self) -> Result<(), ControlError> {
        let mut uow = self.store().read().await?;
        self.use_signing_keys::<K>(read(&mut *uow, &self.inner.keyring).await?);
        Ok(())
    }

    /// Uses other keys, for tokens and sessions alike, as soon as there are others, here or on
    /// another server.
    pub(crate) async fn follow_signing_keys(&self, stop: &CancellationToken) {
        let mut watch = Watch::new(self, Signal::SigningKeys);
        while stop.run_until_cancelled(watch.changed()).await.is_some() {
            for loaded in [
                self.load_signing_keys::<RootKeys>().await,
                self.load_signing_keys::<SessionKeys>().await,
            ] {
                if let Err(err) = loaded {
                    tracing::warn!(error = %Causes(&err), "cannot read the keys that sign");
                }
            }
        }
    }

    fn use_signing_keys<K: SigningKeys>(&self, keys: K) {
        // A number is never given twice.
        if K::in_use(self).numbers() != keys.numbers() {
            keys.put_to_use(self);
        }
    }
}
