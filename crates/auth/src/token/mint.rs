//! Making a token that is never broader than its maker.

use biscuit_auth::{BiscuitBuilder, datalog::SymbolTable};
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use windlass_domain::{Effects, Id, Name, ProjectId};

use super::{
    RootKeys,
    root_keys::fresh_key_pair,
    text::PlainToken,
    vocabulary::{Clauses, date, hex, set, text},
};
use crate::{
    Creator, MintError, Network, NewApiKey, Permission, PermissionSet, Scope, TokenPurpose,
    TokenRecord, api_key::distinct,
};

/// What somebody wants a new token to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What it is for.
    pub label: Name,
    /// What it may do; all that its creator may do where absent. An empty list grants nothing.
    pub permissions: Option<Vec<Permission>>,
    /// Whether it is good for looking only.
    pub is_read_only: bool,
    /// The only projects that it is to reach; all that its creator reaches where absent.
    pub project_ids: Option<Vec<ProjectId>>,
    /// The only networks from which it is to work; all from which its creator works where absent.
    pub allowed_addresses: Option<Vec<Network>>,
    /// When it is to stop working by itself, to the second; after [`NewToken::LIFE`], or with the
    /// credential that creates it, where absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// How it is used.
    pub purpose: TokenPurpose,
}

/// A new token: the record is to be stored, the token to be shown once.
#[derive(Debug)]
pub struct MintedToken {
    /// What is stored.
    pub record: TokenRecord,
    /// What its owner gets.
    pub token: PlainToken,
}

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub enum MintTokenError {
    /// It would be broader than its creator.
    #[error(transparent)]
    Limits(#[from] MintError),
    /// It names more than fits.
    #[error("a token can name at most {} projects and addresses", NewToken::MAX_NAMES)]
    TooLong,
    /// It could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] biscuit_auth::error::Token),
    /// There is no key to sign it with.
    #[error("there is no root key")]
    NoRootKey,
}

impl NewToken {
    /// How long a token lasts of which nothing is said.
    pub const LIFE: TimeDelta = TimeDelta::days(1000);

    /// How many projects and networks together a token can be bound to.
    pub const MAX_NAMES: usize = 100;

    /// A token for all that its creator may do, to be handed on.
    #[must_use]
    pub fn new(label: Name) -> Self {
        Self {
            label,
            permissions: None,
            is_read_only: false,
            project_ids: None,
            allowed_addresses: None,
            expires_at: None,
            purpose: TokenPurpose::Delegation,
        }
    }

    /// The permissions that it gets of its creator's.
    fn rights(&self, creator: &Creator) -> PermissionSet {
        let wanted = match &self.permissions {
            Some(permissions) => permissions.iter().copied().collect(),
            None => creator.permissions,
        };
        if self.is_read_only {
            wanted.iter().filter(|permission| permission.is_read()).collect()
        } else {
            wanted
        }
    }

    fn expiry(&self, creator: &Creator, now: DateTime<Utc>) -> DateTime<Utc> {
        let usual = now.checked_add_signed(Self::LIFE).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let usual = creator.expires_at.map_or(usual, |limit| limit.min(usual));
        self.expires_at.unwrap_or(usual).trunc_subsecs(0)
    }
}

/// Makes a token: never with more rights, further reach or a longer life than its creator has.
///
/// Whether the creator may make tokens at all, and whether the projects exist, is for the caller
/// to decide before.
pub fn mint_token(
    request: NewToken,
    creator: impl Into<Creator>,
    keys: &RootKeys,
    fx: Effects<'_>,
) -> Result<MintedToken, MintTokenError> {
    let creator = creator.into();
    let now = fx.clock.now();
    let expires_at = request.expiry(&creator, now);
    let rights = request.rights(&creator);
    let networks = request.allowed_addresses.or_else(|| creator.addresses.networks());
    // What holds for a key with the same rights holds for a token.
    let like_a_key = NewApiKey {
        name: request.label.clone(),
        scopes: rights.iter().map(Scope::Permission).collect(),
        project_ids: request.project_ids.clone(),
        allowed_addresses: networks.clone(),
        expires_at: Some(expires_at),
    };
    like_a_key.check(&creator, now)?;

    let project_ids = request.project_ids.map(distinct);
    let networks = networks.map(distinct);
    let names = project_ids.iter().flatten().count() + networks.iter().flatten().count();
    if NewToken::MAX_NAMES < names {
        return Err(MintTokenError::TooLong);
    }
    let id = Id::generate(fx);
    let block = Clauses::default()
        .with("account({account});", "account", text(&creator.organization_id))
        .with("user({user});", "user", text(&creator.user_id))
        .with("token({token});", "token", text(&id))
        .with("right({right});", "right", set(rights.iter()))
        .with_any("projects({projects});", "projects", project_ids.map(set))
        .add(match request.purpose {
            TokenPurpose::Delegation | TokenPurpose::Login => "",
            TokenPurpose::Link { .. } => "link(true);",
        })
        .add(if request.is_read_only { "check if operation(\"read\");" } else { "" })
        .with_any("check if network($n), {networks}.contains($n);", "networks", networks.map(set))
        .with("check if time($t), $t < {expiry};", "expiry", date(expires_at))
        .build()
        .map_err(MintTokenError::Sign)?;

    let (number, root) = keys.signing().ok_or(MintTokenError::NoRootKey)?;
    let next = fresh_key_pair(fx.entropy).ok_or(MintTokenError::NoRootKey)?;
    let token = BiscuitBuilder::new()
        .merge(block)
        .root_key_id(number)
        .build_with_key_pair(&root, SymbolTable::new(), &next)
        .map_err(MintTokenError::Sign)?;
    let plain = token.to_base64().map_err(MintTokenError::Sign)?;
    let revocation_id =
        token.revocation_identifiers().first().map(|id| hex(id)).unwrap_or_default();
    let record = TokenRecord {
        id,
        organization_id: creator.organization_id,
        label: request.label,
        purpose: request.purpose,
        revocation_id,
        created_by: creator.user_id,
        created_at: now,
        expires_at,
        revoked_at: None,
    };
    Ok(MintedToken { record, token: PlainToken::new(plain).ok_or(MintTokenError::TooLong)? })
}
