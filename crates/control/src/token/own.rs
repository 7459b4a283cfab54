//! Ending the very token with which it is asked for.

use windlass_auth::{Credential, inspect};
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError};

/// Revokes the token that the caller presents, and all that were made of it; what it was itself
/// made of goes on working. Whoever holds a token may do that, whatever else they may.
pub async fn end_own_token(
    control: &Control,
    caller: &Caller,
    presented: &str,
) -> Result<(), ControlError> {
    let Credential::Token { id, .. } = caller.principal.credential else {
        let message = "this ends the token with which it is asked for, and that is none";
        return Err(ControlError::refused("token_required", message));
    };
    let inspection = inspect(presented).map_err(|err| ControlError::Internal(Box::new(err)))?;
    let now = control.fx().clock.now();
    let mut uow = control.store().write().await?;
    let token = uow.tokens().find_for_update(caller.organization(), id).await?;
    let mut token = token.ok_or(ControlError::NotFound("token"))?;
    if let [_, .., last] = inspection.blocks.as_slice() {
        uow.tokens().revoke_block(id, &last.revocation_id, now).await?;
    } else {
        token.revoked_at.get_or_insert(now);
        uow.tokens().update(&token).await?;
    }
    control.write_down(&mut *uow, caller.did_freely(id)).await?;
    uow.signal(Signal::Token(id));
    uow.commit().await?;
    tracing::info!(token.id = %id, "token ended by its holder");
    // The signal tells everybody; this server need not wait for it.
    control.inner.tokens.forget(id);
    Ok(())
}
