//! Use cases on API keys.

mod rotate;

pub use self::rotate::{MOST_OVERLAP, rotate_api_key};

use windlass_auth::{ApiKeyId, ApiKeyRecord, MintedKey, NewApiKey, Permission, Target, mint};
use windlass_domain::{Page, PageRequest, ProjectId};
use windlass_storage::{Signal, UnitOfWork};

use crate::{Caller, Control, ControlError, member::stay_a_member};

/// Creates a key. It never has more rights than the caller, now or later.
pub async fn create_api_key(
    control: &Control,
    caller: &Caller,
    new: NewApiKey,
) -> Result<MintedKey, ControlError> {
    let grant =
        caller.may(Permission::ApiKeysWrite, Target::organization(caller.organization()))?;
    check_projects(control, caller, new.project_ids.as_deref().unwrap_or_default()).await?;

    let format = &control.inner.key_format;
    let hasher = &control.inner.key_hasher;
    // Hashing is slow work, so it comes before the unit of work.
    let minted = mint(new, &*caller.principal, format, hasher, control.fx()).await;
    let minted = minted.map_err(|err| caller.note_refusal(err.into()))?;
    let mut uow = control.store().write().await?;
    stay_a_member(&mut *uow, caller).await?;
    uow.api_keys().insert(&minted.record).await?;
    control.write_down(&mut *uow, caller.did(grant, minted.record.id)).await?;
    uow.commit().await?;

    tracing::info!(api_key.id = %minted.record.id, "API key created");
    Ok(minted)
}

/// Lists the organization's keys, newest first.
pub async fn list_api_keys(
    control: &Control,
    caller: &Caller,
    page: PageRequest<ApiKeyId>,
) -> Result<Page<ApiKeyRecord>, ControlError> {
    caller.may_read(Permission::ApiKeysRead, Target::organization(caller.organization()))?;
    let mut uow = control.store().read().await?;
    Ok(uow.api_keys().list(caller.organization(), page).await?)
}

/// Revokes a key; from now on it opens nothing. Revoking it twice changes nothing.
pub async fn revoke_api_key(
    control: &Control,
    caller: &Caller,
    id: ApiKeyId,
) -> Result<(), ControlError> {
    let grant =
        caller.may(Permission::ApiKeysWrite, Target::organization(caller.organization()))?;
    let mut uow = control.store().write().await?;
    let key = uow.api_keys().find_for_update(caller.organization(), id).await?;
    let mut key = key.ok_or(ControlError::NotFound("API key"))?;
    if key.revoked_at.is_none() {
        key.revoked_at = Some(control.fx().clock.now());
        uow.api_keys().update(&key).await?;
        control.write_down(&mut *uow, caller.did(grant, id)).await?;
        uow.signal(Signal::ApiKey(id));
        uow.commit().await?;
        tracing::info!(api_key.id = %id, "API key revoked");
    }
    // The signal tells everybody; this server need not wait for it.
    control.inner.verifier.forget(id);
    control.inner.tokens.forget_issued_by(id);
    Ok(())
}

/// A key can only be bound to projects that are there.
pub(crate) async fn check_projects(
    control: &Control,
    caller: &Caller,
    projects: &[ProjectId],
) -> Result<(), ControlError> {
    let mut uow = control.store().read().await?;
    for id in projects {
        if !exists(&mut *uow, caller, *id).await? {
            let message = format!("names no project of yours: {id}");
            return Err(ControlError::Invalid { field: "project_ids", message });
        }
    }
    Ok(())
}

async fn exists(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    id: ProjectId,
) -> Result<bool, ControlError> {
    let is_there = uow.projects().find(caller.organization(), id).await?.is_some();
    Ok(is_there && caller.principal.reaches(id))
}
