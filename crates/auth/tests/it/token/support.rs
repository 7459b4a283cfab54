//! A small world with root keys, and a directory of tokens in memory.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use biscuit_auth::{Biscuit, BiscuitBuilder, KeyPair, PrivateKey};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use windlass_auth::{
    Denied, DirectoryError, MintTokenError, MintedToken, Narrowing, NewToken, Permission,
    PlainToken, Principal, Role, RootKeys, Target, TokenDirectory, TokenEntry, TokenId,
    TokenRecord, TokenVerifier, VerifierOptions, attenuate, authorize, mint_token,
};
use windlass_domain::{Clock as _, Effects, ProjectId};

use crate::support::World;

pub(super) struct TokenWorld {
    pub(super) world: World,
    pub(super) keys: RootKeys,
    pub(super) directory: Arc<MemoryTokens>,
}

impl TokenWorld {
    pub(super) fn new() -> Self {
        let world = World::new();
        let keys = RootKeys::generate(&world.entropy);
        Self { world, keys, directory: Arc::default() }
    }

    pub(super) fn fx(&self) -> Effects<'_> {
        self.world.fx()
    }

    /// A project of the organization.
    pub(super) fn project(&self) -> (ProjectId, Target) {
        let project = self.world.project();
        (project, Target::project(self.world.organization, project))
    }

    pub(super) fn mint(
        &self,
        request: NewToken,
        role: Role,
    ) -> Result<MintedToken, MintTokenError> {
        mint_token(request, self.world.member(role), &self.keys, self.fx())
    }

    /// An owner's token that is in the directory.
    pub(super) fn stored(&self, request: NewToken) -> StoredToken {
        let minted = self.mint(request, Role::Owner).unwrap();
        self.directory.store(minted.record.clone());
        StoredToken {
            id: minted.record.id,
            text: minted.token.expose().to_owned(),
            record: minted.record,
        }
    }

    /// A token with a first block of the test's own making, signed with the root key and stored.
    pub(super) fn signed(&self, code: &str) -> Biscuit {
        let minted = self.mint(everything(), Role::Owner).unwrap();
        let identity = format!(
            "account(\"{}\"); user(\"{}\"); token(\"{}\");",
            self.world.organization, self.world.user, minted.record.id
        );
        let builder = BiscuitBuilder::new().code(identity).unwrap().code(code).unwrap();
        let token = builder.root_key_id(1).build(&self.root()).unwrap();
        let revocation_id = hex(&token.revocation_identifiers()[0]);
        self.directory.store(TokenRecord { revocation_id, ..minted.record });
        token
    }

    /// The one root key, as other implementations would hold it.
    pub(super) fn root(&self) -> KeyPair {
        let text = self.keys.to_text();
        let digits = text.expose_secret().lines().next().unwrap().split_once(' ').unwrap().1;
        let private: PrivateKey = format!("ed25519-private/{digits}").parse().unwrap();
        KeyPair::from(&private)
    }

    pub(super) fn verifier(&self) -> TokenVerifier {
        self.verifier_with(VerifierOptions::default())
    }

    pub(super) fn verifier_with(&self, options: VerifierOptions) -> TokenVerifier {
        let keys = RootKeys::parse(&self.keys.to_text()).unwrap();
        TokenVerifier::new(self.directory.clone(), keys, self.world.clock.clone(), options)
    }

    pub(super) fn narrow(&self, token: &str, narrowing: &Narrowing) -> String {
        attenuate(token, narrowing, &self.world.entropy).unwrap().expose().to_owned()
    }

    pub(super) fn revoke(&self, id: TokenId) {
        let now = self.world.clock.now();
        self.directory.change(id, |entry| entry.record.revoked_at = Some(now));
    }
}

pub(super) struct StoredToken {
    pub(super) id: TokenId,
    pub(super) text: String,
    pub(super) record: TokenRecord,
}

/// A token that may do all that its creator may.
pub(super) fn everything() -> NewToken {
    NewToken::new("ci".parse().unwrap())
}

pub(super) fn may(principal: &Principal, permission: Permission, target: Target) -> bool {
    match authorize(principal, permission, target) {
        Ok(_) => true,
        Err(Denied::Undecided(err)) => panic!("{err}"),
        Err(_) => false,
    }
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn base64(token: &Biscuit) -> String {
    token.to_base64().unwrap()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Whether a secret is in a text.
pub(super) fn shows(text: &str, token: &PlainToken) -> bool {
    text.contains(token.expose())
}

pub(super) fn secret(text: &str) -> SecretString {
    text.into()
}

/// Tokens by identifier. Reads are counted, can be made to fail, and can be held up half-way.
#[derive(Default)]
pub(super) struct MemoryTokens {
    entries: Mutex<HashMap<TokenId, TokenEntry>>,
    revoked: Mutex<HashSet<String>>,
    reads: AtomicUsize,
    pub(super) failure: Mutex<Option<&'static str>>,
    gate: Mutex<Option<Arc<Gate>>>,
}

/// Holds up whoever has read a token but not returned it yet.
pub(super) struct Gate {
    arrived: Semaphore,
    opened: Semaphore,
}

impl MemoryTokens {
    pub(super) fn store(&self, record: TokenRecord) {
        let entry = TokenEntry { record, creator_role: Some(Role::Owner), is_revoked: false };
        self.entries.lock().unwrap().insert(entry.record.id, entry);
    }

    pub(super) fn change(&self, id: TokenId, change: impl FnOnce(&mut TokenEntry)) {
        change(self.entries.lock().unwrap().get_mut(&id).unwrap());
    }

    pub(super) fn revoke_block(&self, revocation_id: &str) {
        self.revoked.lock().unwrap().insert(revocation_id.to_owned());
    }

    pub(super) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    pub(super) fn forget_reads(&self) {
        self.reads.store(0, Ordering::SeqCst);
    }

    /// From now on whoever reads waits until the gate is opened.
    pub(super) fn hold(&self) -> Arc<Gate> {
        let gate = Arc::new(Gate { arrived: Semaphore::new(0), opened: Semaphore::new(0) });
        *self.gate.lock().unwrap() = Some(gate.clone());
        gate
    }
}

impl Gate {
    pub(super) async fn reached(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }

    pub(super) fn open(&self) {
        self.opened.add_permits(Semaphore::MAX_PERMITS);
    }
}

#[async_trait]
impl TokenDirectory for MemoryTokens {
    async fn find_token(
        &self,
        id: TokenId,
        revocation_ids: &[String],
    ) -> Result<Option<TokenEntry>, DirectoryError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if let Some(cause) = *self.failure.lock().unwrap() {
            return Err(DirectoryError::new(cause));
        }
        let mut entry = self.entries.lock().unwrap().get(&id).cloned();
        if let Some(entry) = &mut entry {
            let revoked = self.revoked.lock().unwrap();
            entry.is_revoked |= revocation_ids.iter().any(|id| revoked.contains(id));
        }
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.arrived.add_permits(1);
            drop(gate.opened.acquire().await.unwrap());
        }
        Ok(entry)
    }
}
