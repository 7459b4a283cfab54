//! Asking the checks of a token about one use of it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use biscuit_auth::{
    AuthorizerBuilder, AuthorizerLimits,
    error::{FailedBlockCheck, FailedCheck, Logic, Token as BiscuitError},
};
use chrono::{DateTime, Utc};

use super::{
    parsed::ParsedToken,
    topics::Obstacle,
    vocabulary::{IP, NETWORK, date, fact, networks, operation, text},
};
use crate::{Checks, OutOfBudget, Permission, Target};

/// What is worth evaluating is known beforehand to be little; the time is there for a machine that
/// is busy otherwise.
pub(super) const LIMITS: AuthorizerLimits =
    AuthorizerLimits { max_facts: 5_000, max_iterations: 100, max_time: Duration::from_secs(2) };

/// How many answers are kept for one token, second and address.
const MAX_VERDICTS: usize = 64;

/// The checks of one token in one second, for requests from one address.
///
/// Dates in tokens are whole seconds, so within one the same question has the same answer.
pub(super) struct Moment {
    token: Arc<ParsedToken>,
    at: DateTime<Utc>,
    address: Option<IpAddr>,
    verdicts: Mutex<HashMap<Question, bool>>,
}

/// What is to be done, and to what; to anything at all, where nothing is named.
type Question = (Permission, Option<Target>);

/// What has come of asking all checks.
enum Outcome {
    Hold,
    /// These have failed.
    Fail(Vec<String>),
    /// One of them makes no sense.
    Senseless,
}

impl Moment {
    pub(super) fn new(token: Arc<ParsedToken>, at: DateTime<Utc>, address: Option<IpAddr>) -> Self {
        Self { token, at, address, verdicts: Mutex::default() }
    }

    /// What stands in the way of every use of the token, if anything.
    pub(super) fn obstacle(&self) -> Result<Option<Obstacle>, OutOfBudget> {
        let Outcome::Fail(checks) = self.ask(self.circumstances())? else { return Ok(None) };
        let obstacles = checks.iter().filter_map(|check| self.token.topics.obstacle(check));
        // What is over is over everywhere.
        Ok(obstacles.reduce(|one, other| if one == Obstacle::Time { one } else { other }))
    }

    /// A known answer, or else one that is found now.
    fn answer(
        &self,
        question: Question,
        find: impl FnOnce() -> Result<bool, OutOfBudget>,
    ) -> Result<bool, OutOfBudget> {
        let known = {
            let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
            verdicts.get(&question).copied()
        };
        if let Some(verdict) = known {
            return Ok(verdict);
        }
        let verdict = find()?;
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if verdicts.len() < MAX_VERDICTS {
            verdicts.insert(question, verdict);
        }
        Ok(verdict)
    }

    fn ask(&self, about: Result<AuthorizerBuilder, BiscuitError>) -> Result<Outcome, OutOfBudget> {
        let authorized = about
            // Rights and reach have been looked at before: all that is left are the checks.
            .and_then(|builder| builder.policy("allow if true"))
            .and_then(|builder| builder.build(&self.token.biscuit))
            .and_then(|mut authorizer| authorizer.authorize());
        match authorized {
            Ok(_) => Ok(Outcome::Hold),
            Err(BiscuitError::RunLimit(_)) => Err(OutOfBudget),
            Err(BiscuitError::FailedLogic(Logic::Unauthorized { checks, policy: _ })) => {
                let texts = checks.into_iter().filter_map(|check| match check {
                    FailedCheck::Block(FailedBlockCheck { rule, .. }) => Some(rule),
                    FailedCheck::Authorizer(_) => None,
                });
                Ok(Outcome::Fail(texts.collect()))
            }
            Err(_) => Ok(Outcome::Senseless),
        }
    }

    /// All that is known whatever a token is used for.
    fn circumstances(&self) -> Result<AuthorizerBuilder, BiscuitError> {
        let mut builder =
            AuthorizerBuilder::new().set_limits(LIMITS).fact(fact("time", date(self.at)))?;
        if let Some(address) = self.address {
            builder = builder.fact(fact(IP, text(&address.to_canonical())))?;
        }
        if self.token.asks_address {
            for network in self.address.into_iter().flat_map(networks) {
                builder = builder.fact(fact(NETWORK, text(&network)))?;
            }
        }
        Ok(builder)
    }

    /// The same, and what is to be done.
    fn about(&self, permission: Permission) -> Result<AuthorizerBuilder, BiscuitError> {
        self.circumstances()?
            .fact(fact("operation", text(&operation(permission))))?
            .fact(fact("permission", text(&permission)))
    }

    /// The same, and to what.
    fn about_target(
        &self,
        permission: Permission,
        target: Target,
    ) -> Result<AuthorizerBuilder, BiscuitError> {
        let mut builder = self.about(permission)?;
        let things = [
            ("project", target.project_id().map(|id| text(&id))),
            ("environment", target.environment_id().map(|id| text(&id))),
            ("deployment", target.deployment_id().map(|id| text(&id))),
            ("collection", target.is_collection().then(|| text(&"projects"))),
        ];
        for (name, value) in things {
            if let Some(value) = value {
                builder = builder.fact(fact(name, value))?;
            }
        }
        Ok(builder)
    }
}

impl Checks for Moment {
    fn allow(&self, permission: Permission, target: Target) -> Result<bool, OutOfBudget> {
        self.answer((permission, Some(target)), || {
            let outcome = self.ask(self.about_target(permission, target))?;
            Ok(matches!(outcome, Outcome::Hold))
        })
    }

    fn may_allow(&self, permission: Permission) -> Result<bool, OutOfBudget> {
        let may_hold = |check: &String| self.token.topics.depends_on_target(check);
        self.answer((permission, None), || {
            Ok(match self.ask(self.about(permission))? {
                Outcome::Hold => true,
                Outcome::Fail(checks) => checks.iter().all(may_hold),
                Outcome::Senseless => false,
            })
        })
    }
}
