//! Use cases on the members of an organization.

use windlass_auth::{
    Credential, Member, MemberChange, Membership, Permission, Principal, Role, Standing, Target,
    check_admission,
};
use windlass_domain::{OrganizationId, Page, PageRequest, UserId};
use windlass_storage::{Signal, UnitOfWork};

use crate::{Caller, Control, ControlError, organization::within};

/// Lists an organization's members, those who came last first.
pub async fn list_members(
    control: &Control,
    caller: &Caller,
    organization: OrganizationId,
    page: PageRequest<UserId>,
) -> Result<Page<Member>, ControlError> {
    let mut uow = control.store().read().await?;
    let caller = within(&mut *uow, caller, organization).await?;
    caller.may_read(Permission::MembersRead, Target::organization(organization))?;
    Ok(uow.members().list(organization, page).await?)
}

/// Finds one member.
pub async fn get_member(
    control: &Control,
    caller: &Caller,
    organization: OrganizationId,
    user: UserId,
) -> Result<Member, ControlError> {
    let mut uow = control.store().read().await?;
    let caller = within(&mut *uow, caller, organization).await?;
    caller.may_read(Permission::MembersRead, Target::organization(organization))?;
    find(&mut *uow, organization, user).await
}

/// Gives a member another role; what their credentials may do follows at once.
pub async fn set_member_role(
    control: &Control,
    caller: &Caller,
    organization: OrganizationId,
    user: UserId,
    role: Role,
) -> Result<Member, ControlError> {
    let mut uow = control.store().write().await?;
    let caller = hold(&mut *uow, caller, organization).await?;
    let grant = caller.may(Permission::MembersWrite, Target::organization(organization))?;
    let member = find(&mut *uow, organization, user).await?;
    check_admission(&caller.principal, role).map_err(|err| caller.note_refusal(err.into()))?;
    check(&mut *uow, &caller, &member, MemberChange::SetRole(role)).await?;
    if member.role != role {
        let membership = Membership { organization_id: organization, user_id: user, role };
        uow.members().set_role(&membership).await?;
        control.write_down(&mut *uow, caller.did(grant, user)).await?;
        uow.signal(Signal::Member(user));
        uow.commit().await?;
        tracing::info!(user.id = %user, organization.id = %organization, %role, "role changed");
    }
    // The signal tells everybody; this server need not wait for it.
    control.forget_credentials_of(user);
    Ok(Member { role, ..member })
}

/// Makes somebody a member no more. Their keys and tokens there are revoked, so that they stay
/// dead when the person is let in again, and so are invitations by them and for them.
///
/// Whoever has signed in may always remove themselves.
pub async fn remove_member(
    control: &Control,
    caller: &Caller,
    organization: OrganizationId,
    user: UserId,
) -> Result<(), ControlError> {
    let mut uow = control.store().write().await?;
    let caller = hold(&mut *uow, caller, organization).await?;
    let is_leaving = caller.has_signed_in() && caller.principal.user_id == user;
    let deed = if is_leaving {
        caller.did_freely(user)
    } else {
        let organization = Target::organization(organization);
        caller.did(caller.may(Permission::MembersWrite, organization)?, user)
    };
    let member = find(&mut *uow, organization, user).await?;
    check(&mut *uow, &caller, &member, MemberChange::Remove).await?;
    uow.members().remove(organization, user).await?;
    let now = control.fx().clock.now();
    let keys = uow.api_keys().revoke_all_of(organization, user, now).await?;
    let tokens = uow.tokens().revoke_all_of(organization, user, now).await?;
    let email = member.user.email.as_ref();
    uow.invitations().revoke_all_of(organization, user, email, now).await?;
    control.write_down(&mut *uow, deed).await?;
    uow.signal(Signal::Member(user));
    uow.commit().await?;
    // The signal tells everybody; this server need not wait for it.
    control.forget_credentials_of(user);

    tracing::info!(user.id = %user, organization.id = %organization, keys, tokens, "member removed");
    Ok(())
}

/// Makes sure that the caller is a member, by a credential that is in force, until the unit of work
/// has ended. To be called, before anything else is locked, where a credential of theirs is about to
/// be stored: one that appeared after its maker was removed would come to life when they are let in
/// again, and one that appeared after an account was taken over would stay with whoever had it.
pub(crate) async fn stay_a_member(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
) -> Result<(), ControlError> {
    let Principal { organization_id, user_id, credential, .. } = &*caller.principal;
    let refused = || ControlError::InvalidCredential(credential.kind());
    uow.members().role_until_commit(*organization_id, *user_id).await?.ok_or_else(refused)?;
    uow.accounts().find_for_update(*user_id).await?.ok_or_else(refused)?;
    let is_in_force = match credential {
        Credential::Session { id, .. } => uow.sessions().find_of_everyone(*id).await?.is_some(),
        Credential::ApiKey { id, .. } => {
            let key = uow.api_keys().find(*organization_id, *id).await?;
            key.is_some_and(|key| key.revoked_at.is_none())
        }
        Credential::Token { id, .. } => {
            let token = uow.tokens().find_of_everyone(*id).await?;
            token.is_some_and(|token| token.revoked_at.is_none())
        }
    };
    if is_in_force { Ok(()) } else { Err(refused()) }
}

/// The caller in an organization whose members are about to change: until the unit of work ends,
/// nobody else changes them.
pub(crate) async fn hold(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    organization: OrganizationId,
) -> Result<Caller, ControlError> {
    // Nobody holds what they know nothing of.
    within(uow, caller, organization).await?;
    let held = uow.organizations().find_for_update(organization).await?;
    held.ok_or(ControlError::NotFound("organization"))?;
    // What the caller is may have changed while it waited.
    within(uow, caller, organization).await
}

async fn find(
    uow: &mut dyn UnitOfWork,
    organization: OrganizationId,
    user: UserId,
) -> Result<Member, ControlError> {
    let member = uow.members().find(organization, user).await?;
    member.ok_or(ControlError::NotFound("member"))
}

/// Decides whether the caller may do something to a member of an organization that is held.
async fn check(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    member: &Member,
    change: MemberChange,
) -> Result<(), ControlError> {
    let owners = uow.members().count_owners(caller.organization()).await?;
    let standing = Standing {
        role: member.role,
        is_oneself: member.user.id == caller.principal.user_id,
        is_only_owner: member.role == Role::Owner && owners <= 1,
    };
    change.check(caller.principal.role, standing).map_err(|err| caller.note_refusal(err.into()))
}
