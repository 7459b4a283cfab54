//! Making a key that is never broader than its maker.

use chrono::{DateTime, Utc};
use windlass_domain::{Effects, Id, Name, OrganizationId, ProjectId, UserId};

use super::{KeyFormat, KeyHasher, NewKey, PlainKey};
use crate::{
    AddressReach, ApiKeyId, ApiKeyRecord, Credential, Membership, Network, Permission,
    PermissionSet, Principal, ProjectReach, Scope, slow::HashError,
};

/// What somebody wants a new key to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What it is for.
    pub name: Name,
    /// What it may do. An empty list grants nothing.
    pub scopes: Vec<Scope>,
    /// The only projects that it is to reach; all of the organization's where absent.
    pub project_ids: Option<Vec<ProjectId>>,
    /// The only networks from which it is to work; any where absent.
    pub allowed_addresses: Option<Vec<Network>>,
    /// When it is to stop working by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// On whose behalf a key is made: its limits are the new key's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creator {
    pub(crate) organization_id: OrganizationId,
    pub(crate) user_id: UserId,
    pub(crate) permissions: PermissionSet,
    projects: ProjectReach,
    pub(crate) addresses: AddressReach,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    is_restricted: bool,
}

/// A new key: the record is to be stored, the key to be shown once.
#[derive(Debug)]
pub struct MintedKey {
    /// What is stored.
    pub record: ApiKeyRecord,
    /// What its owner gets.
    pub key: PlainKey,
}

/// What a stored key has of the key itself.
pub(super) struct FoundBy {
    pub(super) lookup: String,
    pub(super) prefix: String,
    pub(super) hash: String,
    pub(super) imported_start: Option<String>,
}

/// Why there is no new key, or token.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The creator lacks something that it would grant.
    #[error("it cannot grant {permission}, which its creator does not have")]
    TooBroad {
        /// The first of what is lacking.
        permission: Permission,
    },
    /// The creator does not reach one of the projects.
    #[error("it cannot reach the project {project}, which its creator does not reach")]
    OutOfReach {
        /// The first of those.
        project: ProjectId,
    },
    /// The creator is bound to projects, and what it wants would not be.
    #[error("it must name its projects when its creator is bound to projects")]
    Unbound,
    /// It would name more projects than are worth a list.
    #[error("it can name at most {} projects", NewApiKey::MAX_PROJECTS)]
    TooManyProjects,
    /// The creator cannot be used from one of the networks.
    #[error("it cannot be used from {network}, from where its creator cannot be used")]
    OutOfNetwork {
        /// The first of those.
        network: Network,
    },
    /// The creator is bound to addresses, and what it wants would not be.
    #[error("it must name its addresses when its creator is bound to addresses")]
    Anywhere,
    /// It would name more networks than are worth a list.
    #[error("it can name at most {} addresses", NewApiKey::MAX_ADDRESSES)]
    TooManyAddresses,
    /// It would work longer than the credential with which it is made.
    #[error("it cannot outlive the credential that creates it, which expires at {}", limit.to_rfc3339())]
    Outlives {
        /// When that credential expires.
        limit: DateTime<Utc>,
    },
    /// It would never work.
    #[error("it must expire in the future")]
    Expired,
    /// The creator is a credential with checks of its own, which what it makes could not carry.
    #[error("a token cannot create credentials: narrow the token instead")]
    Restricted,
    /// It could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

impl NewApiKey {
    /// How many projects a key can be bound to.
    pub const MAX_PROJECTS: usize = 100;
    /// How many networks a key can be bound to.
    pub const MAX_ADDRESSES: usize = 100;

    /// A key for all projects, from any address, for ever.
    #[must_use]
    pub fn new(name: Name, scopes: Vec<Scope>) -> Self {
        Self { name, scopes, project_ids: None, allowed_addresses: None, expires_at: None }
    }

    pub(crate) fn check(&self, creator: &Creator, now: DateTime<Utc>) -> Result<(), MintError> {
        if creator.is_restricted {
            return Err(MintError::Restricted);
        }
        let mut wanted = self.scopes.iter().flat_map(|scope| scope.permissions().iter());
        if let Some(permission) = wanted.find(|wanted| !creator.permissions.contains(*wanted)) {
            return Err(MintError::TooBroad { permission });
        }
        self.check_projects(creator)?;
        self.check_addresses(creator)?;
        if self.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(MintError::Expired);
        }
        match creator.expires_at {
            Some(limit) if self.expires_at.is_none_or(|expires_at| limit < expires_at) => {
                Err(MintError::Outlives { limit })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_projects(&self, creator: &Creator) -> Result<(), MintError> {
        match (&self.project_ids, &creator.projects) {
            (None, ProjectReach::Only(_)) => Err(MintError::Unbound),
            (None, ProjectReach::All) => Ok(()),
            (Some(projects), _) if Self::MAX_PROJECTS < projects.len() => {
                Err(MintError::TooManyProjects)
            }
            (Some(projects), reach) => {
                match projects.iter().find(|project| !reach.includes(**project)) {
                    Some(project) => Err(MintError::OutOfReach { project: *project }),
                    None => Ok(()),
                }
            }
        }
    }

    fn check_addresses(&self, creator: &Creator) -> Result<(), MintError> {
        match (&self.allowed_addresses, &creator.addresses) {
            (None, AddressReach::Only(_)) => Err(MintError::Anywhere),
            (None, AddressReach::Anywhere) => Ok(()),
            (Some(networks), _) if Self::MAX_ADDRESSES < networks.len() => {
                Err(MintError::TooManyAddresses)
            }
            (Some(networks), reach) => {
                match networks.iter().find(|network| !reach.covers(network)) {
                    Some(network) => Err(MintError::OutOfNetwork { network: *network }),
                    None => Ok(()),
                }
            }
        }
    }

    /// The record of this key, once it was checked.
    pub(super) fn into_record(
        self,
        creator: &Creator,
        found: FoundBy,
        now: DateTime<Utc>,
        id: ApiKeyId,
    ) -> ApiKeyRecord {
        let FoundBy { lookup, prefix, hash, imported_start } = found;
        ApiKeyRecord {
            id,
            organization_id: creator.organization_id,
            lookup,
            prefix,
            hash,
            name: self.name,
            scopes: distinct(self.scopes).iter().map(Scope::to_string).collect(),
            project_ids: self.project_ids.map(distinct),
            allowed_addresses: self.allowed_addresses.map(distinct),
            imported_start,
            created_by: creator.user_id,
            created_at: now,
            expires_at: self.expires_at,
            revoked_at: None,
            last_used_at: None,
        }
    }
}

impl From<&Principal> for Creator {
    fn from(principal: &Principal) -> Self {
        Self {
            organization_id: principal.organization_id,
            user_id: principal.user_id,
            permissions: principal.permissions,
            projects: principal.projects.clone(),
            addresses: principal.credential.addresses().clone(),
            expires_at: match &principal.credential {
                // A session ends, and its person comes back: what they make need not end with it.
                Credential::Session { .. } => None,
                credential @ (Credential::ApiKey { .. } | Credential::Token { .. }) => {
                    credential.expires_at()
                }
            },
            is_restricted: principal.restriction.is_some(),
        }
    }
}

impl From<Membership> for Creator {
    /// For a key that the server makes by itself for a person, such as an owner's first one.
    fn from(membership: Membership) -> Self {
        Self {
            organization_id: membership.organization_id,
            user_id: membership.user_id,
            permissions: membership.role.permissions(),
            projects: ProjectReach::All,
            addresses: AddressReach::Anywhere,
            expires_at: None,
            is_restricted: false,
        }
    }
}

/// Makes a key: never with more rights, further reach, from further addresses or with a longer life
/// than its creator has.
///
/// Whether the creator may make keys at all, and whether the projects exist, is for the caller to
/// decide before.
pub async fn mint(
    request: NewApiKey,
    creator: impl Into<Creator> + Send,
    format: &KeyFormat,
    hasher: &KeyHasher,
    fx: Effects<'_>,
) -> Result<MintedKey, MintError> {
    let creator = creator.into();
    let now = fx.clock.now();
    request.check(&creator, now)?;

    let id = Id::generate(fx);
    let NewKey { key, lookup, display_prefix } = format.generate(fx.entropy);
    let hash = hasher.hash(&key).await?;
    let found = FoundBy { lookup, prefix: display_prefix, hash, imported_start: None };
    Ok(MintedKey { record: request.into_record(&creator, found, now, id), key })
}

pub(crate) fn distinct<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}
