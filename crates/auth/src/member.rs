//! Who may change who belongs to an organization.

use crate::{AddressReach, Permission, Principal, Role};

/// What is to become of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChange {
    /// They are to have this role.
    SetRole(Role),
    /// They are to be a member no more.
    Remove,
}

/// The member whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What they are now.
    pub role: Role,
    /// Whether it is the caller.
    pub is_oneself: bool,
    /// Whether the organization has no other owner.
    pub is_only_owner: bool,
}

/// Why somebody is not let in, changed or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemberRefusal {
    /// The member is more than the caller.
    #[error("nobody changes or removes a member who is more than they are themselves")]
    Above,
    /// The role is more than the caller's.
    #[error("nobody makes anybody more than they are themselves: you are {own}")]
    AboveOwn {
        /// What the caller is.
        own: Role,
    },
    /// The organization would be left to nobody.
    #[error("an organization keeps at least one owner: make somebody else an owner first")]
    LastOwner,
    /// The caller's credential does not grant all that it would give away.
    #[error("it cannot give {permission} away, which it does not have")]
    TooBroad {
        /// The first of what is lacking.
        permission: Permission,
    },
    /// The caller's credential has limits that a member would not have.
    #[error("a token, or a key that is bound to addresses, lets nobody in")]
    Bound,
}

impl MemberChange {
    /// Decides whether somebody who is a `by` may do this to a member.
    pub fn check(self, by: Role, member: Standing) -> Result<(), MemberRefusal> {
        let Standing { role, is_oneself, is_only_owner } = member;
        let is_leaving = is_oneself && self == Self::Remove;
        if !is_leaving {
            if !by.may_grant(role) {
                return Err(MemberRefusal::Above);
            }
            if let Self::SetRole(wanted) = self
                && !by.may_grant(wanted)
            {
                return Err(MemberRefusal::AboveOwn { own: by });
            }
        }
        if role == Role::Owner && is_only_owner && self != Self::SetRole(Role::Owner) {
            return Err(MemberRefusal::LastOwner);
        }
        Ok(())
    }
}

/// Decides whether a caller may make somebody a `role`, now or by an invitation.
///
/// Nobody gives away more than they have, and neither does a credential: otherwise a key that may
/// do no more than manage members could make its holder an owner.
pub fn check_admission(caller: &Principal, role: Role) -> Result<(), MemberRefusal> {
    if !caller.role.may_grant(role) {
        return Err(MemberRefusal::AboveOwn { own: caller.role });
    }
    let mut given = role.permissions().iter();
    if let Some(permission) = given.find(|given| !caller.permissions.contains(*given)) {
        return Err(MemberRefusal::TooBroad { permission });
    }
    let is_bound = matches!(caller.credential.addresses(), AddressReach::Only(_));
    if is_bound || caller.restriction.is_some() {
        return Err(MemberRefusal::Bound);
    }
    Ok(())
}
