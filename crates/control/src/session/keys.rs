//! The keys that sign sessions.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use windlass_auth::SessionKeys;
use windlass_domain::Effects;
use windlass_storage::{Signal, Store};

use crate::{
    Causes, Control, ControlError, Keyring,
    signing_keys::{self, OldKeys},
    watch::Watch,
};

/// Makes a new key, which signs all sessions from now on, and gives its number. Servers that are
/// running notice by themselves.
pub async fn rotate_session_key(
    store: &dyn Store,
    keyring: &Keyring,
    fx: Effects<'_>,
    old: OldKeys,
) -> Result<u32, ControlError> {
    let action = "rotate_session_key";
    let (_, number) = signing_keys::rotate::<SessionKeys>(store, keyring, fx, old, action).await?;
    Ok(number)
}

impl Control {
    /// The keys, of which there is at least one.
    pub(crate) async fn session_keys(&self) -> Result<Arc<SessionKeys>, ControlError> {
        let known = self.inner.sessions.keys();
        if known.numbers().next().is_some() {
            return Ok(known);
        }
        self.load_session_keys().await?;
        if self.inner.sessions.keys().numbers().next().is_none() {
            let keyring = &self.inner.keyring;
            let keys = signing_keys::make_first(self.store(), keyring, self.fx()).await?;
            self.use_session_keys(keys);
        }
        Ok(self.inner.sessions.keys())
    }

    /// Reads the keys anew.
    pub(crate) async fn load_session_keys(&self) -> Result<(), ControlError> {
        let mut uow = self.store().read().await?;
        self.use_session_keys(signing_keys::read(&mut *uow, &self.inner.keyring).await?);
        Ok(())
    }

    /// Uses other keys, for tokens and sessions alike, as soon as there are others, here or on
    /// another server.
    pub(crate) async fn follow_signing_keys(&self, stop: &CancellationToken) {
        let mut watch = Watch::new(self, Signal::SigningKeys);
        while stop.run_until_cancelled(watch.changed()).await.is_some() {
            for loaded in [self.load_root_keys().await, self.load_session_keys().await] {
                if let Err(err) = loaded {
                    tracing::warn!(error = %Causes(&err), "cannot read the keys that sign");
                }
            }
        }
    }

    fn use_session_keys(&self, keys: SessionKeys) {
        let known = self.inner.sessions.keys();
        // A number is never given twice.
        if !known.numbers().eq(keys.numbers()) {
            self.inner.sessions.use_keys(keys);
        }
    }
}
