//! A small world: one organization, its people, and a directory of keys in memory.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use windlass_auth::{
    AddressReach, ApiKeyId, BcryptCost, Creator, Credential, DirectoryError, HasherOptions,
    ImportedFormat, KeyDirectory, KeyEntry, KeyFormat, KeyHasher, KeyVerifier, Membership,
    MintError, MintedKey, NewApiKey, PermissionSet, Principal, ProjectReach, Role, Scope,
    VerifierOptions, mint,
};
use windlass_domain::{
    Effects, OrganizationId, ProjectId, UserId,
    test_util::{CountingEntropy, ManualClock},
};

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) entropy: CountingEntropy,
    pub(crate) directory: Arc<MemoryDirectory>,
    pub(crate) format: KeyFormat,
    pub(crate) hasher: KeyHasher,
    pub(crate) organization: OrganizationId,
    pub(crate) user: UserId,
}

impl World {
    /// A world whose hasher computes one hash at a time and keeps nobody waiting.
    pub(crate) fn new() -> Self {
        Self::with_cost(BcryptCost::MIN)
    }

    /// The same with slower hashes.
    pub(crate) fn with_cost(cost: BcryptCost) -> Self {
        let (clock, entropy) = (Arc::new(ManualClock::default()), CountingEntropy::default());
        let fx = entropy.with(&*clock);
        let (organization, user) = (OrganizationId::generate(fx), UserId::generate(fx));
        Self {
            clock,
            entropy,
            directory: Arc::default(),
            format: KeyFormat::default(),
            hasher: hasher(cost),
            organization,
            user,
        }
    }

    pub(crate) fn fx(&self) -> Effects<'_> {
        self.entropy.with(&*self.clock)
    }

    pub(crate) fn project(&self) -> ProjectId {
        ProjectId::generate(self.fx())
    }

    pub(crate) fn member(&self, role: Role) -> Membership {
        Membership { organization_id: self.organization, user_id: self.user, role }
    }

    pub(crate) async fn mint(
        &self,
        request: NewApiKey,
        creator: impl Into<Creator> + Send,
    ) -> Result<MintedKey, MintError> {
        mint(request, creator, &self.format, &self.hasher, self.fx()).await
    }

    /// An owner's key that is in the directory.
    pub(crate) async fn stored_key(&self, request: NewApiKey) -> StoredKey {
        let minted = self.mint(request, self.member(Role::Owner)).await.unwrap();
        let key = StoredKey {
            id: minted.record.id,
            lookup: minted.record.lookup.clone(),
            text: minted.key.expose().to_owned(),
        };
        let entry = KeyEntry { record: minted.record, creator_role: Some(Role::Owner) };
        self.directory.keys.lock().unwrap().insert(key.lookup.clone(), entry);
        key
    }

    pub(crate) fn verifier(&self) -> KeyVerifier {
        self.verifier_with(VerifierOptions::default())
    }

    pub(crate) fn verifier_with(&self, options: VerifierOptions) -> KeyVerifier {
        KeyVerifier::new(
            self.directory.clone(),
            self.hasher.clone(),
            self.format.clone(),
            self.clock.clone(),
            options,
        )
    }

    /// A caller without a round through the verifier.
    pub(crate) fn principal(
        &self,
        permissions: PermissionSet,
        projects: ProjectReach,
    ) -> Principal {
        Principal {
            organization_id: self.organization,
            user_id: self.user,
            role: Role::Owner,
            credential: Credential::ApiKey {
                id: ApiKeyId::generate(self.fx()),
                name: "ci".parse().unwrap(),
                prefix: "wls_00000000".to_owned(),
                scopes: vec![],
                addresses: AddressReach::Anywhere,
                expires_at: None,
            },
            permissions,
            projects,
            restriction: None,
        }
    }
}

/// Computes one hash at a time and keeps nobody waiting.
pub(crate) fn hasher(cost: BcryptCost) -> KeyHasher {
    KeyHasher::new(HasherOptions { cost, concurrency: NonZeroUsize::MIN, queue: 0 })
}

pub(crate) struct StoredKey {
    pub(crate) id: ApiKeyId,
    pub(crate) lookup: String,
    pub(crate) text: String,
}

pub(crate) fn request(scopes: &[Scope]) -> NewApiKey {
    NewApiKey::new("ci".parse().unwrap(), scopes.to_vec())
}

/// Keys by look-up id. Reads are counted, can be made to fail, and can be held up half-way.
#[derive(Default)]
pub(crate) struct MemoryDirectory {
    pub(crate) keys: Mutex<HashMap<String, KeyEntry>>,
    pub(crate) formats: Mutex<Vec<ImportedFormat>>,
    pub(crate) reads: AtomicUsize,
    pub(crate) reads_of_formats: AtomicUsize,
    pub(crate) failure: Mutex<Option<&'static str>>,
    gates: Mutex<HashMap<String, Arc<Gate>>>,
}

/// Holds up whoever has read a key but not returned it yet.
pub(crate) struct Gate {
    arrived: Semaphore,
    opened: Semaphore,
}

impl MemoryDirectory {
    pub(crate) fn change(&self, lookup: &str, change: impl FnOnce(&mut KeyEntry)) {
        change(self.keys.lock().unwrap().get_mut(lookup).unwrap());
    }

    /// From now on whoever reads the key waits until the gate is opened.
    pub(crate) fn hold(&self, lookup: &str) -> Arc<Gate> {
        let gate = Arc::new(Gate { arrived: Semaphore::new(0), opened: Semaphore::new(0) });
        self.gates.lock().unwrap().insert(lookup.to_owned(), gate.clone());
        gate
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

impl Gate {
    /// Waits until somebody stands at the gate.
    pub(crate) async fn reached(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }

    /// Lets everybody through, those who come later as well.
    pub(crate) fn open(&self) {
        self.opened.add_permits(Semaphore::MAX_PERMITS);
    }
}

#[async_trait]
impl KeyDirectory for MemoryDirectory {
    async fn find_key(&self, lookup: &str) -> Result<Option<KeyEntry>, DirectoryError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if let Some(cause) = *self.failure.lock().unwrap() {
            return Err(DirectoryError::new(cause));
        }
        let entry = self.keys.lock().unwrap().get(lookup).cloned();
        let gate = self.gates.lock().unwrap().get(lookup).cloned();
        if let Some(gate) = gate {
            gate.arrived.add_permits(1);
            drop(gate.opened.acquire().await.unwrap());
        }
        Ok(entry)
    }

    async fn imported_formats(&self) -> Result<Vec<ImportedFormat>, DirectoryError> {
        self.reads_of_formats.fetch_add(1, Ordering::SeqCst);
        Ok(self.formats.lock().unwrap().clone())
    }

    async fn find_imported_keys(&self, start: &str) -> Result<Vec<KeyEntry>, DirectoryError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let keys = self.keys.lock().unwrap();
        let is_like_it = |entry: &&KeyEntry| entry.record.imported_start.as_deref() == Some(start);
        let mut found: Vec<KeyEntry> = keys.values().filter(is_like_it).cloned().collect();
        found.sort_by_key(|entry| entry.record.id);
        Ok(found)
    }
}
