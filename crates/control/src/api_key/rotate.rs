//! A new key in the place of an old one.

use chrono::{DateTime, TimeDelta, Utc};
use windlass_auth::{
    ApiKeyId, ApiKeyRecord, MintError, MintedKey, NewApiKey, Permission, Target, mint,
};
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError, member::stay_a_member};

/// For how long an old key can go on working beside the new one.
pub const MOST_OVERLAP: TimeDelta = TimeDelta::days(7);

/// Makes a new key with the rights and limits of an old one, which goes on working for `overlap`,
/// at most [`MOST_OVERLAP`].
///
/// The new key is the caller's, so the caller must be able to make it. A key may rotate itself on
/// the same terms; without the permission to make keys it may not, or whoever steals a key could
/// keep a copy alive for ever.
pub async fn rotate_api_key(
    control: &Control,
    caller: &Caller,
    id: ApiKeyId,
    overlap: TimeDelta,
) -> Result<MintedKey, ControlError> {
    let grant =
        caller.may(Permission::ApiKeysWrite, Target::organization(caller.organization()))?;
    if !(TimeDelta::zero()..=MOST_OVERLAP).contains(&overlap) {
        let message = format!("must be between 0 and {}", MOST_OVERLAP.num_seconds());
        return Err(ControlError::Invalid { field: "overlap_seconds", message });
    }
    let old = control.store().read().await?.api_keys().find(caller.organization(), id).await?;
    let old = old.ok_or(ControlError::NotFound("API key"))?;
    check_is_active(&old, control.fx().clock.now())?;

    let format = &control.inner.key_format;
    let hasher = &control.inner.key_hasher;
    // Hashing is slow work, so it comes before the unit of work.
    let minted = mint(same_as(&old), &*caller.principal, format, hasher, control.fx()).await;
    let minted = minted.map_err(|err| caller.note_refusal(refuse(err)))?;

    let mut uow = control.store().write().await?;
    stay_a_member(&mut *uow, caller).await?;
    let old = uow.api_keys().find_for_update(caller.organization(), id).await?;
    let mut old = old.ok_or(ControlError::NotFound("API key"))?;
    let now = control.fx().clock.now();
    check_is_active(&old, now)?;
    let end = now + overlap;
    old.expires_at = Some(old.expires_at.map_or(end, |earlier| earlier.min(end)));
    uow.api_keys().update(&old).await?;
    uow.api_keys().insert(&minted.record).await?;
    // Whoever asks for either key finds the other one beside it.
    let ended = caller.did(grant, id);
    let begun = ended.also_to(minted.record.id);
    control.write_down(&mut *uow, ended).await?;
    control.write_down(&mut *uow, begun).await?;
    uow.signal(Signal::ApiKey(id));
    uow.commit().await?;
    // The signal tells everybody; this server need not wait for it.
    control.inner.verifier.forget(id);

    tracing::info!(api_key.id = %id, new.id = %minted.record.id, "API key rotated");
    Ok(minted)
}

/// What has ended is not begun again by a successor.
fn check_is_active(key: &ApiKeyRecord, now: DateTime<Utc>) -> Result<(), ControlError> {
    if !key.is_active(now) {
        let message = "the API key has expired or has been revoked";
        return Err(ControlError::conflict("key_not_active", message));
    }
    Ok(())
}

/// A key with the same rights and limits. A scope that is not known (any more) grants nothing, and
/// has no successor.
fn same_as(key: &ApiKeyRecord) -> NewApiKey {
    NewApiKey {
        name: key.name.clone(),
        scopes: key.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
        project_ids: key.project_ids.clone(),
        allowed_addresses: key.allowed_addresses.clone(),
        expires_at: key.expires_at,
    }
}

/// The limits are those of the old key, so they are no fields that could be put right.
fn refuse(err: MintError) -> ControlError {
    match err {
        MintError::OutOfReach { .. }
        | MintError::Unbound
        | MintError::TooManyProjects
        | MintError::OutOfNetwork { .. }
        | MintError::Anywhere
        | MintError::TooManyAddresses
        | MintError::Outlives { .. }
        | MintError::Expired => ControlError::conflict("broader_than_caller", err.to_string()),
        MintError::TooBroad { .. } | MintError::Restricted | MintError::Hash(_) => err.into(),
    }
}
