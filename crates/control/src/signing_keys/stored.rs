//! The keys in the database, each sealed in its own place.

use secrecy::ExposeSecret as _;
use windlass_domain::Effects;
use windlass_storage::{Signal, SigningPurpose, Store, StoreError, StoredSigningKey, UnitOfWork};

use super::{OldKeys, SigningKeys};
use crate::{
    ControlError, Keyring, SealError,
    audit::{self, Deed},
};

/// Reads the keys that there are.
pub(super) async fn read<K: SigningKeys>(
    uow: &mut dyn UnitOfWork,
    keyring: &Keyring,
) -> Result<K, ControlError> {
    let stored = uow.signing_keys().list(K::PURPOSE).await?;
    if stored.is_empty() {
        return Ok(K::none());
    }
    let mut lines = String::new();
    for StoredSigningKey { number, sealed, created_at: _ } in stored {
        let line = keyring.open(&bound_to(K::PURPOSE, number), &sealed)?;
        lines.push_str(line.expose_secret());
    }
    K::parse(&lines.into()).map_err(|err| ControlError::Internal(Box::new(err)))
}

/// Makes the first key, unless another server is faster; gives what there is then.
pub(super) async fn make_first<K: SigningKeys>(
    store: &dyn Store,
    keyring: &Keyring,
    fx: Effects<'_>,
) -> Result<K, ControlError> {
    let mut uow = store.write().await?;
    let mut keys = K::none();
    match add(&mut *uow, &mut keys, keyring, fx).await {
        Ok(number) => {
            uow.signal(Signal::SigningKeys);
            uow.commit().await?;
            tracing::info!(number, purpose = K::PURPOSE.name(), "made the first signing key");
            Ok(keys)
        }
        Err(AddError::Store(StoreError::Taken(_))) => {
            drop(uow);
            read(&mut *store.read().await?, keyring).await
        }
        Err(err) => Err(err.into()),
    }
}

/// Makes a new key, which signs from now on, and gives it with its number. Servers that are running
/// notice by themselves.
pub(super) async fn rotate<K: SigningKeys>(
    store: &dyn Store,
    keyring: &Keyring,
    fx: Effects<'_>,
    old: OldKeys,
    action: &str,
) -> Result<(K, u32), ControlError> {
    let mut uow = store.write().await?;
    let mut keys = read(&mut *uow, keyring).await?;
    let number = add(&mut *uow, &mut keys, keyring, fx).await?;
    if old == OldKeys::Drop {
        uow.signing_keys().delete_before(K::PURPOSE, number).await?;
    }
    let first = uow.organizations().first_of_everyone().await?;
    if let Some(organization) = first {
        // It signs for everybody; who runs the server began with this organization.
        let deed = Deed::by_operator(organization.id, action, None);
        audit::write_down(&mut *uow, deed, fx).await?;
    }
    uow.signal(Signal::SigningKeys);
    uow.commit().await?;
    Ok((keys, number))
}

/// Why there is no further key.
#[derive(Debug, thiserror::Error)]
enum AddError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

async fn add<K: SigningKeys>(
    uow: &mut dyn UnitOfWork,
    keys: &mut K,
    keyring: &Keyring,
    fx: Effects<'_>,
) -> Result<u32, AddError> {
    let number = keys.rotate(fx.entropy);
    let line = keys.line(number).unwrap_or_default();
    let sealed = keyring.seal(&bound_to(K::PURPOSE, number), &line, fx.entropy)?;
    let key = StoredSigningKey { number, sealed, created_at: fx.clock.now() };
    uow.signing_keys().insert(K::PURPOSE, &key).await?;
    Ok(number)
}

/// A sealed key opens in its own place only.
fn bound_to(purpose: SigningPurpose, number: u32) -> String {
    let place = match purpose {
        SigningPurpose::Tokens => "root_key",
        SigningPurpose::Sessions => "session_key",
    };
    format!("{place}/{number}")
}

impl From<AddError> for ControlError {
    fn from(err: AddError) -> Self {
        match err {
            AddError::Store(err) => err.into(),
            AddError::Seal(err) => err.into(),
        }
    }
}
