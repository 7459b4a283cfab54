//! Requests that are carried out once, however often they are sent.
//!
//! Whoever sends a request names it. The first attempt holds it by a lease, and leaves what it came
//! to; whoever repeats it is told the same. A server that is killed meanwhile leaves nothing but a
//! lease that runs out: the next one carries the request out again.

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::SecretString;
use windlass_storage::{OnceKey, OnceRecord, StoreError, UnitOfWork};

use crate::{Caller, Control, ControlError};

/// For how long a request is known again.
pub(crate) const KNOWN_AGAIN: TimeDelta = TimeDelta::hours(24);
/// The header by which a request is named, as people know it.
const FIELD: &str = "Idempotency-Key";

/// A request to carry out once.
#[derive(Debug, Clone)]
pub struct Once {
    /// How whoever sends it calls it.
    pub key: String,
    /// A digest of all that it says, and of the credential: what it came to may be a secret, and
    /// is only for whoever could have had it in the first place.
    pub fingerprint: String,
    /// How long carrying it out takes at most.
    pub at_most: Duration,
}

/// What is to be done about a request.
#[derive(Debug)]
pub enum Begun {
    /// It is to be carried out, by this attempt.
    First(Attempt),
    /// It was: this is what it came to.
    Done(SecretString),
}

/// The one attempt to carry out a request.
#[derive(Debug)]
#[must_use = "an attempt that does not end keeps others waiting"]
pub struct Attempt {
    key: OnceKey,
    number: u32,
}

impl Control {
    /// Begins to carry out a request, unless that was done already or is being done.
    pub async fn begin_once(&self, caller: &Caller, once: Once) -> Result<Begun, ControlError> {
        let key = OnceKey {
            organization_id: caller.organization(),
            user_id: caller.principal.user_id,
            operation: caller.occasion.action.to_string(),
            key: once.key,
        };
        let now = self.fx().clock.now();
        let at_most = TimeDelta::from_std(once.at_most).unwrap_or(TimeDelta::MAX);
        let first = OnceRecord {
            key,
            fingerprint: once.fingerprint,
            attempt: 1,
            leased_until: now.checked_add_signed(at_most).unwrap_or(now),
            answer: None,
            created_at: now,
        };
        loop {
            let mut uow = self.store().write().await?;
            let found = uow.once().find_for_update(&first.key).await?;
            if let Some(found) = found {
                return self.begin_again(uow, found, first).await;
            }
            let inserted = uow.once().insert(&first).await;
            match inserted {
                Ok(()) => return attempt(uow, first).await,
                // Somebody was faster: what they do about it is there to be found now.
                Err(StoreError::Taken(_)) => {}
                Err(err) => return Err(err.into()),
            }
        }
    }

    /// Keeps what a request came to, or has it forgotten where that was nothing. An attempt that
    /// somebody else has taken over leaves nothing.
    pub async fn end_once(
        &self,
        attempt: Attempt,
        answer: Option<&SecretString>,
    ) -> Result<(), ControlError> {
        let mut uow = self.store().write().await?;
        let found = uow.once().find_for_update(&attempt.key).await?;
        let Some(found) = found.filter(|found| found.attempt == attempt.number) else {
            return Ok(());
        };
        match answer {
            Some(answer) => {
                let bound_to = bound_to(&found.key);
                let answer = self.inner.keyring.seal(&bound_to, answer, self.fx().entropy)?;
                let done = OnceRecord { answer: Some(answer), ..found };
                uow.once().update(&done).await?;
            }
            None => uow.once().delete(&found.key).await?,
        }
        uow.commit().await?;
        Ok(())
    }

    /// Decides about a request that is there already.
    async fn begin_again(
        &self,
        mut uow: Box<dyn UnitOfWork>,
        found: OnceRecord,
        again: OnceRecord,
    ) -> Result<Begun, ControlError> {
        let now = again.created_at;
        let again = OnceRecord { attempt: found.attempt.saturating_add(1), ..again };
        if found.created_at + KNOWN_AGAIN <= now {
            uow.once().update(&again).await?;
            return attempt(uow, again).await;
        }
        if found.fingerprint != again.fingerprint {
            let message = "was used for another request, or with another credential".to_owned();
            return Err(ControlError::Invalid { field: FIELD, message });
        }
        if let Some(answer) = &found.answer {
            return Ok(Begun::Done(self.inner.keyring.open(&bound_to(&found.key), answer)?));
        }
        if now < found.leased_until {
            let message = "this request is being carried out: send it again later";
            return Err(ControlError::conflict("in_progress", message));
        }
        let again = OnceRecord { created_at: found.created_at, ..again };
        uow.once().update(&again).await?;
        attempt(uow, again).await
    }
}

async fn attempt(uow: Box<dyn UnitOfWork>, record: OnceRecord) -> Result<Begun, ControlError> {
    uow.commit().await?;
    Ok(Begun::First(Attempt { key: record.key, number: record.attempt }))
}

/// What an answer is sealed to: in another row it does not open.
fn bound_to(key: &OnceKey) -> String {
    let OnceKey { organization_id, user_id, operation, key } = key;
    format!("once:{organization_id}:{user_id}:{operation}:{key}")
}
