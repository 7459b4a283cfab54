//! Narrowing a token, by whoever holds it.

use biscuit_auth::{UnverifiedBiscuit, error};
use chrono::{DateTime, Utc};
use windlass_domain::{DeploymentId, Entropy, EnvironmentId, ProjectId};

use super::{
    root_keys::fresh_key_pair,
    text::{MAX_BLOCKS, MAX_LENGTH, MalformedToken, PlainToken, check_form},
    vocabulary::{Clauses, date, set},
};
use crate::{Network, Permission};

/// What is to be left of a token. What is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrowing {
    /// The only projects, and what is in them.
    pub projects: Option<Vec<ProjectId>>,
    /// The only environments, and what is in them: nothing of a project as a whole, no lists.
    pub environments: Option<Vec<EnvironmentId>>,
    /// The only deployments: nothing of an environment as a whole, no lists.
    pub deployments: Option<Vec<DeploymentId>>,
    /// Nothing of a single deployment.
    pub excludes_deployments: bool,
    /// The only permissions.
    pub permissions: Option<Vec<Permission>>,
    /// Looking only.
    pub is_read_only: bool,
    /// The only networks from which it works.
    pub allowed_addresses: Option<Vec<Network>>,
    /// When it stops working, to the second.
    pub expires_at: Option<DateTime<Utc>>,
    /// Good for a link only.
    pub is_for_link: bool,
}

/// Why a token cannot be narrowed.
#[derive(Debug, thiserror::Error)]
pub enum NarrowError {
    /// The text is not a token.
    #[error(transparent)]
    Malformed(#[from] MalformedToken),
    /// Nothing was to be taken away.
    #[error("nothing is narrowed")]
    Nothing,
    /// It was sealed by whoever had it before, so that nobody can append to it.
    #[error("the token is sealed: it can be used, but not narrowed")]
    Sealed,
    /// It would be refused for its size.
    #[error(
        "the token has been narrowed too often or too much: it may have {MAX_BLOCKS} blocks and {MAX_LENGTH} characters"
    )]
    TooLong,
    /// It could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] error::Token),
}

impl Narrowing {
    fn clauses(&self) -> Clauses {
        fn when(applies: bool, clause: &str) -> &str {
            if applies { clause } else { "" }
        }
        Clauses::default()
            .with_any(
                "projects({projects}); \
                 check if project($p), {projects}.contains($p) or collection(\"projects\");",
                "projects",
                self.projects.as_ref().map(set),
            )
            .with_any(
                "check if environment($e), {environments}.contains($e);",
                "environments",
                self.environments.as_ref().map(set),
            )
            .with_any(
                "check if deployment($d), {deployments}.contains($d);",
                "deployments",
                self.deployments.as_ref().map(set),
            )
            .add(when(self.excludes_deployments, "reject if deployment($d);"))
            .with_any(
                "check if permission($p), {permissions}.contains($p);",
                "permissions",
                self.permissions.as_ref().map(set),
            )
            .add(when(self.is_read_only, "check if operation(\"read\");"))
            .with_any(
                "check if network($n), {networks}.contains($n);",
                "networks",
                self.allowed_addresses.as_ref().map(set),
            )
            .with_any("check if time($t), $t < {expiry};", "expiry", self.expires_at.map(date))
            .add(when(self.is_for_link, "link(true);"))
    }
}

/// Makes a narrower token out of a token: offline, by anybody, without a key.
///
/// The token that it is made of goes on working; revoking that one ends this one, too. Whether the
/// token is genuine is not known here.
pub fn attenuate(
    token: &str,
    narrowing: &Narrowing,
    entropy: &dyn Entropy,
) -> Result<PlainToken, NarrowError> {
    let clauses = narrowing.clauses();
    if clauses.is_empty() {
        return Err(NarrowError::Nothing);
    }
    let token = parse(token)?;
    if MAX_BLOCKS <= token.block_count() {
        return Err(NarrowError::TooLong);
    }
    let block = clauses.build().map_err(NarrowError::Sign)?;
    // Without a key there would be an error; every seed makes one.
    let next = fresh_key_pair(entropy).ok_or(NarrowError::Sign(error::Token::InternalError))?;
    written(&token.append_with_keypair(&next, block)?)
}

/// Closes a token, so that whoever gets it can use it but not narrow it further.
pub fn seal(token: &str) -> Result<PlainToken, NarrowError> {
    written(&parse(token)?.seal()?)
}

pub(super) fn parse(token: &str) -> Result<UnverifiedBiscuit, MalformedToken> {
    check_form(token)?;
    UnverifiedBiscuit::from_base64(token).map_err(|_| MalformedToken)
}

fn written(token: &UnverifiedBiscuit) -> Result<PlainToken, NarrowError> {
    PlainToken::new(token.to_base64()?).ok_or(NarrowError::TooLong)
}

impl From<error::Token> for NarrowError {
    fn from(err: error::Token) -> Self {
        if matches!(err, error::Token::AppendOnSealed | error::Token::AlreadySealed) {
            Self::Sealed
        } else {
            Self::Sign(err)
        }
    }
}
