//! One person with one token, at a time that stands still.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::runtime::{Builder, Runtime};
use windlass_auth::{
    Clock, DirectoryError, Effects, Entropy, Membership, Narrowing, NewToken, OrganizationId,
    Permission, ProjectId, Role, RootKeys, TokenDirectory, TokenEntry, TokenId, TokenVerifier,
    UserId, VerifierOptions, attenuate, mint_token,
};

/// New Year 2026.
pub(crate) struct Stopped;

/// Counts upwards, so that one input always meets the same world.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600, 0).unwrap()
    }
}

impl Entropy for Counting {
    fn fill(&self, buf: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        buf.fill(0);
        for (to, from) in buf.iter_mut().rev().zip(number.iter().rev()) {
            *to = *from;
        }
    }
}

/// The world of tokens.
pub(crate) struct World {
    pub(crate) organization: OrganizationId,
    pub(crate) projects: [ProjectId; 2],
    /// A token that is bound to the first project and good for looking only.
    pub(crate) token: String,
    /// The public half of the root key.
    pub(crate) public_key: String,
    pub(crate) verifier: TokenVerifier,
    pub(crate) runtime: Runtime,
}

struct One(TokenEntry);

#[async_trait]
impl TokenDirectory for One {
    async fn find_token(
        &self,
        id: TokenId,
        _revocation_ids: &[String],
    ) -> Result<Option<TokenEntry>, DirectoryError> {
        Ok((self.0.record.id == id).then(|| self.0.clone()))
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let entropy = Counting::default();
        let fx = Effects { clock: &Stopped, entropy: &entropy };
        let organization_id = OrganizationId::generate(fx);
        let ada = Membership { organization_id, user_id: UserId::generate(fx), role: Role::Owner };
        let projects = [(); 2].map(|()| ProjectId::generate(fx));
        let keys = RootKeys::generate(&entropy);
        let public_key = keys.public_key(1).unwrap();
        let request = NewToken {
            permissions: Some(vec![Permission::ProjectsRead, Permission::DeploymentsWrite]),
            ..NewToken::new("fuzz".parse().unwrap())
        };
        let minted = mint_token(request, ada, &keys, fx).unwrap();
        let narrowing = Narrowing {
            projects: Some(vec![projects[0]]),
            is_read_only: true,
            ..Narrowing::default()
        };
        let token = attenuate(minted.token.expose(), &narrowing, &entropy).unwrap();
        let record = minted.record;
        let entry = TokenEntry { record, creator_role: Some(Role::Owner), is_revoked: false };
        let options = VerifierOptions { cache_size: 16, ..VerifierOptions::default() };
        Self {
            organization: organization_id,
            projects,
            token: token.expose().to_owned(),
            public_key,
            verifier: TokenVerifier::new(Arc::new(One(entry)), keys, Arc::new(Stopped), options),
            runtime: Builder::new_current_thread().build().unwrap(),
        }
    }
}
