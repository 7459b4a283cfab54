//! From a presented token to a principal, fast for tokens that are known.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use chrono::{DateTime, SubsecRound as _, Utc};
use quick_cache::Weighter;
use sha2::{Digest as _, Sha256};
use windlass_domain::{Clock, UserId};

use super::{
    MalformedToken, RootKeys, TokenDirectory, checks::Moment, parsed::ParsedToken, topics::Obstacle,
};
use crate::{
    ApiKeyId, DirectoryError, OutOfBudget, Principal, Restriction, TokenId, TokenPurpose,
    VerifierOptions,
    flights::Digest,
    verified::{Known, Seen, Verified},
};

/// From how many addresses a token is used in one second before the first of them is forgotten.
const MAX_MOMENTS: usize = 4;

/// A token that is longer than this many characters counts for more than one in the cache.
const USUAL_LENGTH: usize = 1024;

/// Verifies presented tokens.
///
/// A token that was verified before costs one fast hash and one look into a bounded cache; any
/// other costs its signatures and a read of the directory. What the directory says is asked for
/// again when `cache_ttl` is over, and whatever is told to be forgotten is never used by a call
/// that begins later.
pub struct TokenVerifier {
    directory: Arc<dyn TokenDirectory>,
    keys: RwLock<Arc<RootKeys>>,
    verified: Verified<KnownToken, TokenError, ByLength>,
}

/// Why nobody is let in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// Malformed, signed by somebody else, expired or revoked, or its creator has gone: whoever
    /// presents it does not learn which.
    #[error("invalid or expired token")]
    Invalid,
    /// It is genuine and works elsewhere, but its checks take no request from this address.
    #[error("the token may not be used from this address")]
    WrongAddress(Arc<Principal>),
    /// It is genuine, but evaluating it would take more than it may.
    #[error(transparent)]
    Undecided(#[from] OutOfBudget),
    /// What is stored cannot be read; this says nothing about the token.
    #[error(transparent)]
    Unavailable(#[from] DirectoryError),
}

/// A token that was verified.
struct KnownToken {
    token: Arc<ParsedToken>,
    length: usize,
    principal: Principal,
    issuing_key: Option<ApiKeyId>,
    /// Whether it stands for a person as they are: then nothing in it speaks against any use, and
    /// it can make what they can make.
    is_persons_own: bool,
    /// The principal together with its checks, in the present second.
    moments: Mutex<Vec<Present>>,
}

struct Present {
    at: DateTime<Utc>,
    address: Option<IpAddr>,
    principal: Arc<Principal>,
    obstacle: Option<Obstacle>,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<Digest, Arc<Known<KnownToken>>> for ByLength {
    fn weight(&self, _: &Digest, known: &Arc<Known<KnownToken>>) -> u64 {
        known.length.div_ceil(USUAL_LENGTH) as u64
    }
}

impl TokenVerifier {
    /// Sets up a verifier that knows no token yet.
    #[must_use]
    pub fn new(
        directory: Arc<dyn TokenDirectory>,
        keys: RootKeys,
        clock: Arc<dyn Clock>,
        options: VerifierOptions,
    ) -> Self {
        Self {
            directory,
            keys: RwLock::new(Arc::new(keys)),
            verified: Verified::weighed(clock, options, ByLength),
        }
    }

    /// Finds out who presents a token, and from where. One that is good for a link only is refused.
    pub async fn verify(
        &self,
        presented: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<Principal>, TokenError> {
        let principal = self.verify_link(presented, address).await?;
        if principal.credential.is_link() { Err(TokenError::Invalid) } else { Ok(principal) }
    }

    /// The same for the token in the address of a request, which may be good for nothing else.
    pub async fn verify_link(
        &self,
        presented: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<Principal>, TokenError> {
        let digest = Sha256::digest(presented).into();
        let now = self.verified.now();
        let known = match self.verified.fresh(&digest, now) {
            Some(known) => known,
            None => self.verified.look(digest, |_| self.look(&digest, presented)).await?,
        };
        known.present(now, address)
    }

    /// The keys that sign and verify at the moment.
    pub fn root_keys(&self) -> Arc<RootKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Signs and verifies with other keys from now on.
    pub fn use_root_keys(&self, keys: RootKeys) {
        let keys = Arc::new(keys);
        self.verified.start_over(|| {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        });
    }

    /// Forgets what is known about a token and all that were made of it; to be called when it, or
    /// one of those, or its creator, has changed.
    pub fn forget(&self, id: TokenId) {
        self.verified.forget(|known| known.token.id == id);
    }

    /// Has the directory asked again about every token of a person; to be called when their place
    /// in an organization has changed.
    pub fn forget_tokens_of(&self, user: UserId) {
        self.verified.forget(|known| known.principal.user_id == user);
    }

    /// Forgets the links that were made with an API key; to be called when it has changed.
    pub fn forget_issued_by(&self, key: ApiKeyId) {
        self.verified.forget(|known| known.issuing_key == Some(key));
    }

    /// Has the directory asked again about every token; to be called when any may have changed.
    pub fn forget_all(&self) {
        self.verified.forget_all();
    }

    async fn look(&self, digest: &Digest, presented: &str) -> Result<Seen<KnownToken>, TokenError> {
        // What is cached was signed with a key that is still in use: see `use_root_keys`.
        let token = match self.verified.peek(digest) {
            Some(known) => Arc::clone(&known.token),
            None => Arc::new(ParsedToken::verify(presented, &self.root_keys())?),
        };
        let asked_at = self.verified.now();
        let entry = self.directory.find_token(token.id, &token.revocation_ids).await?;
        let entry = entry.ok_or(TokenError::Invalid)?;
        let (issuing_key, is_login) = match entry.record.purpose {
            TokenPurpose::Link { issuing_key } => (issuing_key, false),
            TokenPurpose::Delegation => (None, false),
            TokenPurpose::Login => (None, true),
        };
        // Once it is narrowed, it is a token like any other.
        let is_persons_own = is_login && token.revocation_ids.len() == 1 && !token.asks_address;
        let principal = entry.into_principal(&token, self.verified.now());
        let principal = principal.ok_or(TokenError::Invalid)?;
        let expires_at = principal.credential.expires_at().unwrap_or(DateTime::<Utc>::MAX_UTC);
        let value = KnownToken {
            token,
            length: presented.len(),
            principal,
            issuing_key,
            is_persons_own,
            moments: Mutex::default(),
        };
        Ok(Seen { value, asked_at, expires_at })
    }
}

impl KnownToken {
    /// The principal with its checks, as they stand in this second for this address.
    fn present(
        &self,
        now: DateTime<Utc>,
        address: Option<IpAddr>,
    ) -> Result<Arc<Principal>, TokenError> {
        let at = now.trunc_subsecs(0);
        let address = address.filter(|_| self.token.asks_address);
        let known = {
            let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
            let mut moments = moments.iter();
            moments.find(|known| known.at == at && known.address == address).map(Present::outcome)
        };
        if let Some(known) = known {
            return known;
        }
        // Whoever comes meanwhile does the same: nobody waits for the checks of somebody else.
        let (mut restriction, mut obstacle) = (None, None);
        if !self.is_persons_own {
            let checks = Arc::new(Moment::new(Arc::clone(&self.token), at, address));
            obstacle = checks.obstacle()?;
            restriction = Some(Restriction::new(checks));
        }
        let principal = Arc::new(Principal { restriction, ..self.principal.clone() });
        let present = Present { at, address, principal, obstacle };
        let outcome = present.outcome();
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        moments.retain(|known| known.at == at);
        if MAX_MOMENTS <= moments.len() {
            moments.remove(0);
        }
        moments.push(present);
        outcome
    }
}

impl Present {
    fn outcome(&self) -> Result<Arc<Principal>, TokenError> {
        let principal = Arc::clone(&self.principal);
        match self.obstacle {
            None => Ok(principal),
            Some(Obstacle::Address) => Err(TokenError::WrongAddress(principal)),
            Some(Obstacle::Time) => Err(TokenError::Invalid),
        }
    }
}

impl From<MalformedToken> for TokenError {
    fn from(_: MalformedToken) -> Self {
        Self::Invalid
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerifier").field("known", &self.verified.len()).finish_non_exhaustive()
    }
}
