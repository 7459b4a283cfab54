//! An account with an authority.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::{
    error::AcmeError,
    host,
    issued::Issued,
    order,
    solver::{ChallengeSolver, Presented},
};

/// An account with an authority; clones share it.
#[derive(Clone)]
pub struct Account {
    account: instant_acme::Account,
    timeout: Duration,
}

impl Account {
    pub(crate) fn new(account: instant_acme::Account, timeout: Duration) -> Self {
        Self { account, timeout }
    }

    /// Gets one certificate for all of the hosts, the names of which are in lower case and, where
    /// they have other letters than ASCII, encoded.
    ///
    /// Each challenge that the solver has heard of is withdrawn when this returns. Where the future
    /// is dropped before, that is left to a task of the runtime.
    pub async fn order(
        &self,
        hosts: &[&str],
        solver: &Arc<dyn ChallengeSolver>,
    ) -> Result<Issued, AcmeError> {
        let identifiers = host::identifiers(hosts)?;
        let mut presented = Presented::new(Arc::clone(solver));
        let work = order::fulfil(&self.account, &identifiers, &mut presented, self.timeout);
        let issued = timeout(self.timeout, work).await;
        presented.withdraw().await;
        issued.unwrap_or_else(|_| Err(AcmeError::unavailable("it did not finish in time")))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.account.id()).finish_non_exhaustive()
    }
}
