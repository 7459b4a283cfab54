//! Who calls.

use axum::{Extension, Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use windlass_auth::{
    AddressReach, Credential, Permission, PermissionSet, Principal, ProjectReach, Role,
};
use windlass_control::{Caller, Control, WhoAmI};
use windlass_domain::{Organization, User};

use crate::{
    operation::{Operation, any_credential},
    problem::Problem,
};

pub(crate) fn operations() -> Vec<Operation> {
    vec![any_credential(routes!(whoami))]
}

/// Who calls.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// The person on whose behalf the call is made.
    user: MyUser,
    /// The organizations of this person that the credential opens.
    organizations: Vec<MyOrganization>,
    /// The credential in use.
    credential: MyCredential,
}

/// The person on whose behalf a call is made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MyUser {
    #[schema(example = "usr_01kdvdna000000000000000001")]
    id: String,
    #[schema(example = "Ada")]
    name: String,
    /// What the person signs in with, where they do.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
}

/// An organization, and what the person is in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MyOrganization {
    #[schema(example = "org_01kdvdna000000000000000000")]
    id: String,
    #[schema(example = "Acme")]
    name: String,
    /// `owner`, `admin`, `member` or `viewer`.
    #[schema(example = "owner")]
    role: &'static str,
}

/// The credential in use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MyCredential {
    /// What kind of credential it is: `api_key`, `token` or `session`.
    #[schema(example = "api_key")]
    kind: &'static str,
    #[schema(example = "key_01kdvdna000000000000000002")]
    id: String,
    /// What a key or token is for.
    #[schema(example = "ci")]
    name: Option<String>,
    /// A key's first characters.
    #[schema(example = "wls_3fJ9xQ2L")]
    prefix: Option<String>,
    /// A key's scopes.
    #[schema(example = json!(["read"]))]
    scopes: Option<Vec<&'static str>>,
    /// What it may do: its scopes' permissions, as far as the person's role has them. Of a
    /// token's, those are left out that it was narrowed by, whatever they are used on.
    #[schema(example = json!(["projects:read"]))]
    permissions: Vec<&'static str>,
    /// The only projects that it reaches; `null` for all.
    project_ids: Option<Vec<String>>,
    /// The only addresses and networks from which a key works; `null` for any. A token has them in
    /// its checks.
    allowed_addresses: Option<Vec<String>>,
    /// When it stops working by itself.
    expires_at: Option<DateTime<Utc>>,
}

/// Say who calls.
///
/// The person, the organization and the credential with its permissions.
#[utoipa::path(
    get,
    path = "/api/auth/me",
    tag = "auth",
    responses((status = 200, description = "Who calls", body = Me)),
)]
pub(crate) async fn whoami(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Me>, Problem> {
    let who = windlass_control::whoami(&control, &caller).await?;
    Ok(Json(Me::new(who, &caller.principal)))
}

impl Me {
    fn new(who: WhoAmI, principal: &Principal) -> Self {
        let WhoAmI { user, organizations, permissions } = who;
        let organizations = organizations.iter();
        Self {
            user: user.into(),
            organizations: organizations
                .map(|(organization, role)| MyOrganization::new(organization, *role))
                .collect(),
            credential: MyCredential::new(principal, permissions),
        }
    }
}

impl From<User> for MyUser {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name.to_string(),
            email: user.email.map(|email| email.to_string()),
        }
    }
}

impl MyOrganization {
    fn new(organization: &Organization, role: Role) -> Self {
        let Organization { id, name, plan: _, created_at: _ } = organization;
        Self { id: id.to_string(), name: name.to_string(), role: role.name() }
    }
}

impl MyCredential {
    fn new(principal: &Principal, permissions: PermissionSet) -> Self {
        let credential = &principal.credential;
        let (id, name) = match credential {
            Credential::ApiKey { id, name, .. } => (id.to_string(), Some(name.to_string())),
            Credential::Token { id, label, .. } => (id.to_string(), Some(label.to_string())),
            Credential::Session { id, .. } => (id.to_string(), None),
        };
        let (prefix, scopes) = match credential {
            Credential::ApiKey { prefix, scopes, .. } => (Some(prefix), Some(scopes)),
            Credential::Token { .. } | Credential::Session { .. } => (None, None),
        };
        let project_ids = match &principal.projects {
            ProjectReach::All => None,
            ProjectReach::Only(projects) => {
                Some(projects.iter().map(ToString::to_string).collect())
            }
        };
        let allowed_addresses = match credential.addresses() {
            AddressReach::Anywhere => None,
            AddressReach::Only(list) => Some(list.iter().map(ToString::to_string).collect()),
        };
        Self {
            kind: credential.kind().name(),
            id,
            name,
            prefix: prefix.cloned(),
            scopes: scopes.map(|scopes| scopes.iter().map(|scope| scope.name()).collect()),
            permissions: permissions.iter().map(Permission::name).collect(),
            project_ids,
            allowed_addresses,
            expires_at: credential.expires_at(),
        }
    }
}
