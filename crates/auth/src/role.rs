//! What each role may do.

use crate::{Permission, PermissionSet, Role, Scope};

impl Role {
    /// What a person in this role may do, and so what their credentials can do at most.
    ///
    /// Who did what is for those to see who decide who gets in. Owners and admins differ only in whom they may let in: see [`Role::may_grant`].
    #[must_use]
    pub fn permissions(self) -> PermissionSet {
        const WORK: PermissionSet = PermissionSet::of(&[
            Permission::ProjectsWrite,
            Permission::EnvironmentsWrite,
            Permission::DeploymentsWrite,
            Permission::EnvVarsRead,
            Permission::EnvVarsWrite,
            Permission::TokensWrite,
            Permission::BuildsWrite,
            Permission::SubmissionsWrite,
            Permission::UpdatesWrite,
        ]);
        match self {
            Self::Viewer => Scope::Read.permissions(),
            Self::Member => Self::Viewer.permissions().union(WORK),
            Self::Admin | Self::Owner => PermissionSet::ALL,
        }
    }

    /// Whether a person in this role may make somebody else an `other`, or end that.
    ///
    /// Nobody gives away more than they have.
    #[must_use]
    pub fn may_grant(self, other: Self) -> bool {
        Self::Admin <= self && other <= self
    }
}
