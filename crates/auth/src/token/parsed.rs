//! A token whose signatures have been checked.

use std::str::FromStr;

use biscuit_auth::{
    Authorizer, AuthorizerBuilder, Biscuit, PublicKey,
    builder::{Check, Fact, Rule, Term},
    error::{Format, Token as BiscuitError},
    format::schema,
};
use chrono::{DateTime, Utc};
use windlass_domain::{OrganizationId, ProjectId, UserId};

use super::{
    RootKeys, TokenError,
    checks::LIMITS,
    cost, inspect,
    text::{MAX_BLOCKS, check_form},
    topics::Topics,
    vocabulary::{ACCOUNT, IP, LINK, NETWORK, PROJECTS, RIGHT, TOKEN, USER, hex},
};
use crate::{OutOfBudget, PermissionSet, ProjectReach, TokenId};

/// A token whose signatures have been checked, and what is in it that does not depend on the use.
pub(super) struct ParsedToken {
    pub(super) biscuit: Biscuit,
    pub(super) id: TokenId,
    pub(super) organization_id: OrganizationId,
    pub(super) user_id: UserId,
    pub(super) rights: PermissionSet,
    pub(super) projects: ProjectReach,
    /// Whether it is good for a link only.
    pub(super) is_link: bool,
    /// When a check of the usual form ends it.
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// Of every block, the first one first.
    pub(super) revocation_ids: Vec<String>,
    /// Whether any check asks where a request comes from.
    pub(super) asks_address: bool,
    /// What checks ask about.
    pub(super) topics: Topics,
}

impl ParsedToken {
    /// Checks the signatures, and that the token costs no more than it may.
    pub(super) fn verify(text: &str, keys: &RootKeys) -> Result<Self, TokenError> {
        let biscuit = genuine(text, keys)?;
        let mut authorizer = AuthorizerBuilder::new().set_limits(LIMITS).build(&biscuit)?;
        let (facts, rules, checks, _) = authorizer.dump();
        cost::check(&facts, &rules, &checks)?;

        Ok(Self {
            id: only(&mut authorizer, TOKEN)?,
            organization_id: only(&mut authorizer, ACCOUNT)?,
            user_id: only(&mut authorizer, USER)?,
            rights: rights(&mut authorizer)?,
            projects: projects(&mut authorizer)?,
            is_link: !anywhere(&mut authorizer, LINK)?.is_empty(),
            expires_at: expiry(&biscuit)?,
            revocation_ids: biscuit.revocation_identifiers().iter().map(|id| hex(id)).collect(),
            asks_address: asks_address(&rules, &checks),
            topics: Topics::of(&rules),
            biscuit,
        })
    }
}

/// Checks the signatures, and what can be said of a token without a look into its blocks.
pub(super) fn genuine(text: &str, keys: &RootKeys) -> Result<Biscuit, TokenError> {
    check_form(text)?;
    let root = |number: Option<u32>| -> Result<PublicKey, Format> {
        let key = number.and_then(|number| keys.verifying(number));
        key.ok_or(Format::UnknownPublicKey)
    };
    let biscuit = Biscuit::from_base64(text, root)?;
    if MAX_BLOCKS < biscuit.block_count() {
        return Err(OutOfBudget.into());
    }
    if is_signed_unambiguously(&biscuit) { Ok(biscuit) } else { Err(TokenError::Invalid) }
}

/// Whether each block can be signed in one way only. An ECDSA signature can be turned into another
/// one by anybody, and with it the block's revocation identifier.
fn is_signed_unambiguously(biscuit: &Biscuit) -> bool {
    let schema::Biscuit { authority, blocks, .. } = biscuit.container().to_proto();
    let ed25519 = schema::public_key::Algorithm::Ed25519 as i32;
    [authority].iter().chain(&blocks).all(|block| block.next_key.algorithm == ed25519)
}

/// The value of the one fact of this name in the first block: only its facts tell who somebody is.
fn only<T: FromStr>(authorizer: &mut Authorizer, name: &str) -> Result<T, TokenError> {
    match &*in_first_block(authorizer, name)? {
        [Term::Str(value)] => value.parse().map_err(|_| TokenError::Invalid),
        _ => Err(TokenError::Invalid),
    }
}

/// What the first block grants. A name that is not known (any more) grants nothing.
fn rights(authorizer: &mut Authorizer) -> Result<PermissionSet, TokenError> {
    let sets = in_first_block(authorizer, RIGHT)?;
    Ok(sets.iter().flat_map(names).filter_map(|name| name.parse().ok()).collect())
}

/// The projects that every block leaves.
fn projects(authorizer: &mut Authorizer) -> Result<ProjectReach, TokenError> {
    let reached = anywhere(authorizer, PROJECTS)?
        .into_iter()
        .map(|set| names(&set).filter_map(|name| name.parse().ok()).collect::<Vec<ProjectId>>());
    let common = reached.reduce(|mut common, set| {
        common.retain(|project| set.contains(project));
        common
    });
    Ok(ProjectReach::from(common))
}

fn names(set: &Term) -> impl Iterator<Item = &str> {
    let items = if let Term::Set(items) = set { Some(items) } else { None };
    items
        .into_iter()
        .flatten()
        .filter_map(|item| if let Term::Str(name) = item { Some(name.as_str()) } else { None })
}

fn in_first_block(authorizer: &mut Authorizer, name: &str) -> Result<Vec<Term>, TokenError> {
    let rule = format!("value($value) <- {name}($value)");
    let facts: Vec<Fact> = authorizer.query(rule.as_str())?;
    Ok(values(facts))
}

/// The values of facts in any block, which anybody may have written: good for narrowing alone.
fn anywhere(authorizer: &mut Authorizer, name: &str) -> Result<Vec<Term>, TokenError> {
    let rule = format!("value($value) <- {name}($value)");
    let facts: Vec<Fact> = authorizer.query_all(rule.as_str())?;
    Ok(values(facts))
}

fn values(facts: Vec<Fact>) -> Vec<Term> {
    facts.into_iter().filter_map(|fact| fact.predicate.terms.into_iter().next()).collect()
}

fn expiry(biscuit: &Biscuit) -> Result<Option<DateTime<Utc>>, TokenError> {
    let mut earliest = None;
    for index in 0..biscuit.block_count() {
        let expiry = inspect::expiry(&biscuit.print_block_source(index)?);
        earliest = [earliest, expiry].into_iter().flatten().min();
    }
    Ok(earliest)
}

fn asks_address(rules: &[Rule], checks: &[Check]) -> bool {
    let queries = rules.iter().chain(checks.iter().flat_map(|check| &check.queries));
    queries.flat_map(|query| &query.body).any(|part| [IP, NETWORK].contains(&&*part.name))
}

impl From<BiscuitError> for TokenError {
    fn from(err: BiscuitError) -> Self {
        if matches!(err, BiscuitError::RunLimit(_)) {
            Self::Undecided(OutOfBudget)
        } else {
            Self::Invalid
        }
    }
}
