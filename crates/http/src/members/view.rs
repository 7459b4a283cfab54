//! Members as JSON.

use serde::Serialize;
use utoipa::ToSchema;
use windlass_auth::{Member, Role};
use windlass_domain::User;

/// A person in an organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberView {
    #[schema(example = "usr_01kdvdna000000000000000001")]
    user_id: String,
    #[schema(example = "Ada")]
    name: String,
    /// What the person signs in with, where they do.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    role: RoleView,
}

/// What a person is in an organization, from the most to the least: an owner may do everything; an
/// admin, too, but not with owners; a member works on projects; a viewer looks on.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Role, example = "member")]
pub(crate) enum RoleView {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let Member { user, role } = member;
        let User { id, name, email, created_at: _ } = user;
        let email = email.map(|email| email.to_string());
        Self { user_id: id.to_string(), name: name.to_string(), email, role: role.into() }
    }
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Member => Self::Member,
            Role::Viewer => Self::Viewer,
        }
    }
}
