//! What was refused and is not written down yet: bounded, however many are refused.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use windlass_auth::{AuditEntry, AuditEntryId, AuditOutcome, Network};
use windlass_domain::{Clock, Effects, Entropy, OrganizationId};

use super::Deed;
use crate::{Occasion, telemetry};

/// How many refusals of known callers wait at most. Beyond that they are only counted.
const MOST_KNOWN: usize = 1_000;
/// How many neighbourhoods of strangers are told from one another at once.
const MOST_NEIGHBOURHOODS: usize = 256;
/// What strangers tried.
const ACTION: &str = "authenticate";

/// What was refused and is not written down yet.
pub(crate) struct Refusals {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    waiting: Mutex<Batch>,
}

/// Refusals that are written down together.
#[derive(Default)]
pub(super) struct Batch {
    /// Of callers who are known: each is a line.
    known: Vec<AuditEntry>,
    /// Of strangers, by where they come from: each neighbourhood is a line. Those for whom there
    /// is no more room are together, as from nowhere.
    strangers: HashMap<Option<Network>, Strangers>,
}

/// What strangers from one neighbourhood tried.
struct Strangers {
    id: AuditEntryId,
    at: DateTime<Utc>,
    first: Occasion,
    times: u32,
}

impl Refusals {
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, waiting: Mutex::default() }
    }

    /// Notes what a known caller was refused.
    pub(crate) fn note(&self, deed: Deed) {
        let fx = Effects { clock: &*self.clock, entropy: &*self.entropy };
        let entry = deed.entry(AuditOutcome::Refused, fx);
        self.waiting().add_known(entry);
    }

    /// Notes that somebody presented what opens nothing.
    pub(crate) fn note_stranger(&self, occasion: &Occasion) {
        let at = self.clock.now();
        let id = AuditEntryId::generate_at(at, &*self.entropy);
        let strangers = Strangers { id, at, first: occasion.clone(), times: 1 };
        self.waiting().add_strangers(occasion.address.map(Network::around), strangers);
    }

    /// Takes what waits; strangers only where `all` are wanted.
    pub(super) fn take(&self, all: bool) -> Batch {
        let mut waiting = self.waiting();
        let known = std::mem::take(&mut waiting.known);
        let strangers =
            if all { std::mem::take(&mut waiting.strangers) } else { HashMap::default() };
        Batch { known, strangers }
    }

    /// Takes back what could not be written down.
    pub(super) fn give_back(&self, batch: Batch) {
        let mut waiting = self.waiting();
        for entry in batch.known {
            waiting.add_known(entry);
        }
        for (from, strangers) in batch.strangers {
            waiting.add_strangers(from, strangers);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Batch> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.strangers.is_empty()
    }

    /// The lines. Strangers are nobody's: they are told of in the log of `first`, the organization
    /// that whoever runs the server began with.
    pub(super) fn entries(&self, first: OrganizationId) -> Vec<AuditEntry> {
        let strangers = self.strangers.iter().map(|(from, strangers)| AuditEntry {
            id: strangers.id,
            organization_id: first,
            at: strangers.at,
            actor: None,
            action: ACTION.to_owned(),
            permission: None,
            object: None,
            outcome: AuditOutcome::Refused,
            times: strangers.times,
            request_id: strangers.first.request_id.clone(),
            address: strangers.first.address.filter(|_| from.is_some()),
        });
        self.known.iter().cloned().chain(strangers).collect()
    }

    fn add_known(&mut self, entry: AuditEntry) {
        if self.known.len() < MOST_KNOWN {
            self.known.push(entry);
        } else {
            telemetry::refusal_dropped();
        }
    }

    fn add_strangers(&mut self, from: Option<Network>, strangers: Strangers) {
        let has_room = self.strangers.len() < MOST_NEIGHBOURHOODS;
        let from = from.filter(|from| has_room || self.strangers.contains_key(&Some(*from)));
        let times = strangers.times;
        self.strangers
            .entry(from)
            .and_modify(|known| known.times = known.times.saturating_add(times))
            .or_insert(strangers);
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusals")
            .field("known", &self.waiting().known.len())
            .finish_non_exhaustive()
    }
}
