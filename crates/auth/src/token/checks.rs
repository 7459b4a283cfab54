//! Asking the checks of a token about one use of it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use biscuit_auth::{AuthorizerBuilder, AuthorizerLimits, error::Token as BiscuitError};
use chrono::{DateTime, Utc};

use super::{
    parsed::ParsedToken,
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
    verdicts: Mutex<HashMap<(Permission, Target), bool>>,
}

impl Moment {
    pub(super) fn new(token: Arc<ParsedToken>, at: DateTime<Utc>, address: Option<IpAddr>) -> Self {
        Self { token, at, address, verdicts: Mutex::default() }
    }

    fn evaluate(&self, permission: Permission, target: Target) -> Result<bool, OutOfBudget> {
        let authorized = self
            .about(permission, target)
            .and_then(|builder| builder.build(&self.token.biscuit))
            .and_then(|mut authorizer| authorizer.authorize());
        match authorized {
            Ok(_) => Ok(true),
            Err(BiscuitError::RunLimit(_)) => Err(OutOfBudget),
            // A check has failed, or makes no sense.
            Err(_) => Ok(false),
        }
    }

    /// All that is known about a use.
    fn about(
        &self,
        permission: Permission,
        target: Target,
    ) -> Result<AuthorizerBuilder, BiscuitError> {
        let mut builder = AuthorizerBuilder::new()
            .set_limits(LIMITS)
            .fact(fact("time", date(self.at)))?
            .fact(fact("operation", text(&operation(permission))))?
            .fact(fact("permission", text(&permission)))?;
        let things = [
            ("project", target.project_id().map(|id| text(&id))),
            ("environment", target.environment_id().map(|id| text(&id))),
            ("deployment", target.deployment_id().map(|id| text(&id))),
            ("collection", target.is_collection().then(|| text(&"projects"))),
            (IP, self.address.map(|address| text(&address.to_canonical()))),
        ];
        for (name, value) in things {
            if let Some(value) = value {
                builder = builder.fact(fact(name, value))?;
            }
        }
        if self.token.asks_address {
            for network in self.address.into_iter().flat_map(networks) {
                builder = builder.fact(fact(NETWORK, text(&network)))?;
            }
        }
        // Rights and reach have been looked at before: all that is left are the checks.
        builder.policy("allow if true")
    }
}

impl Checks for Moment {
    fn allow(&self, permission: Permission, target: Target) -> Result<bool, OutOfBudget> {
        let question = (permission, target);
        let known = {
            let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
            verdicts.get(&question).copied()
        };
        if let Some(verdict) = known {
            return Ok(verdict);
        }
        let verdict = self.evaluate(permission, target)?;
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if verdicts.len() < MAX_VERDICTS {
            verdicts.insert(question, verdict);
        }
        Ok(verdict)
    }
}
