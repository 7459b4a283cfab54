//! Use cases on tokens.

mod authenticate;
mod link;
mod own;

pub(crate) use self::authenticate::StoreTokenDirectory;
pub use self::{
    link::{CreateLink, CreatedLink, LinkedLog, create_link},
    own::end_own_token,
};

use windlass_auth::{
    MintTokenError, MintedToken, NewToken, Permission, Target, TokenError, TokenId, TokenRecord,
    inspect, mint_token,
};
use windlass_domain::{Page, PageRequest};
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError, api_key::check_projects, member::stay_a_member};

/// Creates a token. It never has more rights than the caller, now or later.
pub async fn create_token(
    control: &Control,
    caller: &Caller,
    new: NewToken,
) -> Result<MintedToken, ControlError> {
    let grant = caller.may(Permission::TokensWrite, Target::organization(caller.organization()))?;
    check_projects(control, caller, new.project_ids.as_deref().unwrap_or_default()).await?;
    let minted = mint(control, caller, new).await?;
    let mut uow = control.store().write().await?;
    stay_a_member(&mut *uow, caller).await?;
    uow.tokens().insert(&minted.record).await?;
    control.write_down(&mut *uow, caller.did(grant, minted.record.id)).await?;
    uow.commit().await?;
    tracing::info!(token.id = %minted.record.id, "token created");
    Ok(minted)
}

/// Lists the organization's tokens, newest first.
pub async fn list_tokens(
    control: &Control,
    caller: &Caller,
    page: PageRequest<TokenId>,
) -> Result<Page<TokenRecord>, ControlError> {
    caller.may_read(Permission::TokensRead, Target::organization(caller.organization()))?;
    let mut uow = control.store().read().await?;
    Ok(uow.tokens().list(caller.organization(), page).await?)
}

/// Revokes a token and all that were made of it by narrowing. Revoking it twice changes nothing.
///
/// Another person's token takes the right to decide who is let in.
pub async fn revoke_token(
    control: &Control,
    caller: &Caller,
    id: TokenId,
) -> Result<(), ControlError> {
    let organization = Target::organization(caller.organization());
    let mut grant = caller.may(Permission::TokensWrite, organization)?;
    let mut uow = control.store().write().await?;
    let token = uow.tokens().find_for_update(caller.organization(), id).await?;
    let mut token = token.ok_or(ControlError::NotFound("token"))?;
    if token.created_by != caller.principal.user_id {
        grant = caller.may(Permission::MembersWrite, organization)?;
    }
    if token.revoked_at.is_none() {
        token.revoked_at = Some(control.fx().clock.now());
        uow.tokens().update(&token).await?;
        control.write_down(&mut *uow, caller.did(grant, id)).await?;
        uow.signal(Signal::Token(id));
        uow.commit().await?;
        tracing::info!(token.id = %id, "token revoked");
    }
    // The signal tells everybody; this server need not wait for it.
    control.inner.tokens.forget(id);
    Ok(())
}

/// Revokes a token that the caller holds, and all that were made of it; what it was itself made of
/// goes on working.
pub async fn revoke_presented_token(
    control: &Control,
    caller: &Caller,
    text: &str,
) -> Result<(), ControlError> {
    let grant = caller.may(Permission::TokensWrite, Target::organization(caller.organization()))?;
    let refuse = || ControlError::Invalid {
        field: "token",
        message: "is not a token of your organization that works".to_owned(),
    };
    let principal = match control.verify_token(text, None).await {
        Err(TokenError::Invalid) => return Err(refuse()),
        // It is to end, from wherever it works.
        Err(TokenError::WrongAddress(principal)) => principal,
        verified => verified?,
    };
    let (Some(id), Ok(inspection)) = (principal.credential.token_id(), inspect(text)) else {
        return Err(refuse());
    };
    if principal.organization_id != caller.organization() {
        return Err(refuse());
    }
    let [_, .., last] = inspection.blocks.as_slice() else {
        return revoke_token(control, caller, id).await;
    };
    let mut uow = control.store().write().await?;
    let now = control.fx().clock.now();
    uow.tokens().revoke_block(id, &last.revocation_id, now).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.signal(Signal::Token(id));
    uow.commit().await?;
    tracing::info!(token.id = %id, "narrowed token revoked");
    control.inner.tokens.forget(id);
    Ok(())
}

/// Makes a token, of which nothing is stored yet.
async fn mint(
    control: &Control,
    caller: &Caller,
    new: NewToken,
) -> Result<MintedToken, ControlError> {
    let keys = control.signing_keys().await?;
    let minted = mint_token(new, &*caller.principal, &keys, control.fx());
    minted.map_err(|err| caller.note_refusal(err.into()))
}

impl From<MintTokenError> for ControlError {
    fn from(err: MintTokenError) -> Self {
        match err {
            MintTokenError::Limits(limits) => {
                let mut err = Self::from(limits);
                if let Self::Invalid { field, .. } = &mut err
                    && *field == "expires_at"
                {
                    *field = "expires_in_seconds";
                }
                err
            }
            MintTokenError::TooLong => {
                Self::Invalid { field: "project_ids", message: format!("is refused: {err}") }
            }
            MintTokenError::Sign(_) | MintTokenError::NoRootKey => Self::Internal(Box::new(err)),
        }
    }
}
