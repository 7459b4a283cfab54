//! How a program on somebody's own machine gets a token of theirs.

use windlass_auth::{
    Actor, AuditObject, CodeVerifier, LoginCodeRecord, LoopbackRedirect, Membership, MintedToken,
    NewLoginCode, NewToken, OneTimeHash, OneTimeSecret, TokenPurpose, mint_token,
};
use windlass_domain::OrganizationId;

use crate::{
    Caller, Control, ControlError, Occasion, audit::Deed, member::stay_a_member,
    organization::within,
};

/// What a program presents that wants its token.
#[derive(Debug)]
pub struct ExchangeLoginCode {
    /// The code that it was sent.
    pub code: String,
    /// What only it knows.
    pub verifier: CodeVerifier,
    /// Where it has listened.
    pub redirect: LoopbackRedirect,
}

/// Lets a program have a token of the caller, who has signed in and allows it, in an organization
/// that they have chosen. What is given out is a code, which is worth nothing without the program's
/// verifier.
pub async fn grant_login_code(
    control: &Control,
    caller: &Caller,
    organization: OrganizationId,
    new: NewLoginCode,
) -> Result<OneTimeSecret, ControlError> {
    caller.session()?;
    let user = caller.principal.user_id;
    let minted = new.mint(user, organization, control.fx());
    let mut uow = control.store().write().await?;
    let caller = within(&mut *uow, caller, organization).await?;
    stay_a_member(&mut *uow, &caller).await?;
    uow.login_codes().insert(&minted.record).await?;
    control.write_down(&mut *uow, caller.did_freely(user)).await?;
    uow.commit().await?;
    tracing::info!(user.id = %user, "a program was allowed in");
    Ok(minted.code)
}

/// Gives a program its token: that of the person who has allowed it, with all that they may do. A
/// code is used up by whoever presents it, also with the wrong verifier.
pub async fn exchange_login_code(
    control: &Control,
    occasion: &Occasion,
    exchange: ExchangeLoginCode,
) -> Result<MintedToken, ControlError> {
    let ExchangeLoginCode { code, verifier, redirect } = exchange;
    let code = OneTimeHash::of(&code);
    // Nobody has anything locked for what never was a code.
    let found = control.store().read().await?.login_codes().find_of_everyone(&code).await?;
    let Some(LoginCodeRecord { user_id, organization_id, .. }) = found else {
        return Err(refuse(control, occasion));
    };
    let keys = control.signing_keys().await?;

    let mut uow = control.store().write().await?;
    let role = uow.members().role_until_commit(organization_id, user_id).await?;
    // Whoever takes the account over holds it, and then removes its codes.
    uow.accounts().find_for_update(user_id).await?;
    let taken = uow.login_codes().take_of_everyone(&code).await?;
    let now = control.fx().clock.now();
    let good = taken.filter(|record| record.is_good_for(&verifier, &redirect, now));
    let Some((LoginCodeRecord { label, life, .. }, role)) = good.zip(role) else {
        uow.commit().await?;
        return Err(refuse(control, occasion));
    };
    let new = NewToken {
        expires_at: Some(now + life),
        purpose: TokenPurpose::Login,
        ..NewToken::new(label)
    };
    let membership = Membership { organization_id, user_id, role };
    let minted = mint_token(new, membership, &keys, control.fx())?;
    let id = minted.record.id;
    uow.tokens().insert(&minted.record).await?;
    let (actor, object) = (Actor::Person(user_id), AuditObject::new(id));
    let deed = Deed::on(occasion, organization_id, Some(actor), Some(object));
    control.write_down(&mut *uow, deed).await?;
    uow.commit().await?;
    tracing::info!(token.id = %id, user.id = %user_id, "a program has logged in");
    Ok(minted)
}

/// What has expired, was used or never was is refused alike, and so is whoever it is not for.
fn refuse(control: &Control, occasion: &Occasion) -> ControlError {
    control.inner.refusals.note_stranger(occasion);
    let message = "this code does not work (any more): log in again";
    ControlError::refused("invalid_code", message)
}
