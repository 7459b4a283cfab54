//! People who have signed in, and the directory that knows them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::sync::Notify;
use windlass_auth::{
    DirectoryError, Membership, Role, SessionDirectory, SessionEntry, SessionId, SessionKeys,
    SessionRecord, SessionVerifier, VerifierOptions, sign_session,
};
use windlass_domain::{
    Clock as _, Effects, Id,
    test_util::{CountingEntropy, ManualClock},
};

/// After how long without use a session ends in these tests.
pub(crate) const IDLE: TimeDelta = TimeDelta::days(7);

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) entropy: CountingEntropy,
    pub(crate) directory: Arc<Sessions>,
}

#[derive(Default)]
pub(crate) struct Sessions {
    entries: Mutex<BTreeMap<SessionId, SessionEntry>>,
    reads: AtomicU64,
    gate: Mutex<Option<Arc<Gate>>>,
}

/// Holds one read up between what it has seen and its answer.
#[derive(Default)]
pub(crate) struct Gate {
    reached: Notify,
    opened: Notify,
}

impl Gate {
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    pub(crate) fn open(&self) {
        self.opened.notify_one();
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            clock: Arc::default(),
            entropy: CountingEntropy::default(),
            directory: Arc::default(),
        }
    }

    pub(crate) fn fx(&self) -> Effects<'_> {
        self.entropy.with(&*self.clock)
    }

    pub(crate) fn verifier(&self, keys: SessionKeys) -> SessionVerifier {
        let options = VerifierOptions::default();
        SessionVerifier::new(self.directory.clone(), keys, self.clock.clone(), IDLE, options)
    }

    /// Somebody signs in who has these places, each in an organization of its own.
    pub(crate) fn signed_in(&self, roles: &[Role]) -> SessionEntry {
        let (user_id, now) = (Id::generate(self.fx()), self.clock.now());
        let place = |role: &Role| {
            let organization_id = Id::generate(self.fx());
            Membership { organization_id, user_id, role: *role }
        };
        let record = SessionRecord {
            id: Id::generate(self.fx()),
            user_id,
            created_at: now,
            expires_at: now + TimeDelta::days(30),
            last_seen_at: now,
            user_agent: "Firefox".to_owned(),
            address: None,
        };
        let entry = SessionEntry { record, memberships: roles.iter().map(place).collect() };
        self.directory.put(&entry);
        entry
    }

    /// The same with one key and what the browser keeps.
    pub(crate) fn with_cookie(&self, roles: &[Role]) -> (SessionVerifier, SessionEntry, String) {
        let keys = SessionKeys::generate(&self.entropy);
        let entry = self.signed_in(roles);
        let text = sign_session(&entry.record, &keys).unwrap().expose().to_owned();
        (self.verifier(keys), entry, text)
    }
}

impl Sessions {
    pub(crate) fn put(&self, entry: &SessionEntry) {
        self.entries.lock().unwrap().insert(entry.record.id, entry.clone());
    }

    pub(crate) fn end(&self, id: SessionId) {
        self.entries.lock().unwrap().remove(&id);
    }

    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    pub(crate) fn hold(&self) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        *self.gate.lock().unwrap() = Some(gate.clone());
        gate
    }
}

#[async_trait]
impl SessionDirectory for Sessions {
    async fn find_session(&self, id: SessionId) -> Result<Option<SessionEntry>, DirectoryError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let found = self.entries.lock().unwrap().get(&id).cloned();
        let gate = self.gate.lock().unwrap().take();
        if let Some(gate) = gate {
            gate.reached.notify_one();
            gate.opened.notified().await;
        }
        Ok(found)
    }
}
