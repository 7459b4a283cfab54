//! From what a browser presents to a principal, fast for sessions that are known.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use windlass_domain::{Clock, OrganizationId, UserId};

use super::{SessionDirectory, SessionEntry, SessionKeys, signed};
use crate::{
    Credential, DirectoryError, Membership, Principal, ProjectReach, SessionId, VerifierOptions,
    uses::{LastUse, Uses},
    verified::{Known, Seen, Verified},
};

/// Verifies sessions that are presented.
///
/// One that was verified before costs one fast hash and one look into a bounded cache; any other
/// costs a signature and a read of the directory. What the directory says is asked for again when
/// `cache_ttl` is over, and whatever is told to be forgotten is never used by a call that begins
/// later.
pub struct SessionVerifier {
    directory: Arc<dyn SessionDirectory>,
    keys: RwLock<Arc<SessionKeys>>,
    idle_limit: TimeDelta,
    verified: Verified<KnownSession, SessionError>,
    uses: Uses<SessionId>,
}

/// Why nobody is let in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SessionError {
    /// Malformed, signed by somebody else, expired, ended or unused for too long, or its person
    /// belongs nowhere any more: whoever presents it does not learn which.
    #[error("invalid or expired session")]
    Invalid,
    /// Its person does not belong to the organization that was asked for.
    #[error("the session does not open this organization")]
    WrongOrganization,
    /// What is stored cannot be read; this says nothing about the session.
    #[error(transparent)]
    Unavailable(#[from] DirectoryError),
}

/// A session that was verified.
struct KnownSession {
    id: SessionId,
    user_id: UserId,
    /// What it is in each organization of its person: at least one.
    principals: Vec<Arc<Principal>>,
    last_use: Arc<LastUse>,
}

impl SessionVerifier {
    /// Sets up a verifier that knows no session yet. A session that is not used for as long as
    /// `idle_limit` ends.
    #[must_use]
    pub fn new(
        directory: Arc<dyn SessionDirectory>,
        keys: SessionKeys,
        clock: Arc<dyn Clock>,
        idle_limit: TimeDelta,
        options: VerifierOptions,
    ) -> Self {
        Self {
            directory,
            keys: RwLock::new(Arc::new(keys)),
            idle_limit,
            verified: Verified::new(clock, options),
            uses: Uses::default(),
        }
    }

    /// Finds out who presents a session, in the organization that is asked for or else in their
    /// first.
    pub async fn verify(
        &self,
        presented: &str,
        organization: Option<OrganizationId>,
    ) -> Result<Arc<Principal>, SessionError> {
        let digest = Sha256::digest(presented).into();
        let now = self.verified.now();
        let known = match self.verified.fresh(&digest, now) {
            Some(known) => known,
            None => self.verified.look(digest, |_| self.look(presented)).await?,
        };
        let principal = principal_in(&known, organization)?;
        known.last_use.note(now);
        Ok(principal)
    }

    /// The keys that sign and verify at the moment.
    pub fn keys(&self) -> Arc<SessionKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Signs and verifies with other keys from now on.
    pub fn use_keys(&self, keys: SessionKeys) {
        let keys = Arc::new(keys);
        self.verified.start_over(|| {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        });
    }

    /// Forgets what is known about a session; to be called when it has ended.
    pub fn forget(&self, id: SessionId) {
        self.verified.forget(|known| known.id == id);
    }

    /// Has the directory asked again about every session of a person; to be called when some of
    /// them have ended, or their place in an organization has changed.
    pub fn forget_sessions_of(&self, user: UserId) {
        self.verified.forget(|known| known.user_id == user);
    }

    /// Has the directory asked again about every session; to be called when any may have changed.
    pub fn forget_all(&self) {
        self.verified.forget_all();
    }

    /// Takes the notes about when sessions were last used, to be written down in one go.
    ///
    /// Only what is newer than at the last call is returned.
    #[must_use = "what is taken is not returned again"]
    pub fn taken_uses(&self) -> Vec<(SessionId, DateTime<Utc>)> {
        self.uses.take()
    }

    async fn look(&self, presented: &str) -> Result<Seen<KnownSession>, SessionError> {
        let asked_at = self.verified.now();
        let signed =
            signed::read(presented, &self.keys(), asked_at).ok_or(SessionError::Invalid)?;
        let entry = self.directory.find_session(signed.id).await?.ok_or(SessionError::Invalid)?;
        let SessionEntry { record, memberships } = entry;
        let last_use = self.uses.of(signed.id);
        // What was noted here may not have been written down yet.
        let last_seen_at =
            last_use.noted().map_or(record.last_seen_at, |noted| noted.max(record.last_seen_at));
        let idle_at = last_seen_at.checked_add_signed(self.idle_limit);
        let ends = [Some(signed.expires_at), Some(record.expires_at), idle_at];
        let expires_at = ends.into_iter().flatten().min().unwrap_or(signed.expires_at);
        let is_over = expires_at <= self.verified.now() || record.user_id != signed.user_id;
        if is_over || memberships.is_empty() {
            return Err(SessionError::Invalid);
        }
        let credential = Credential::Session { id: record.id, expires_at: record.expires_at };
        let principals = memberships.iter().map(|place| Arc::new(principal(place, &credential)));
        let value = KnownSession {
            id: record.id,
            user_id: record.user_id,
            principals: principals.collect(),
            last_use,
        };
        Ok(Seen { value, asked_at, expires_at })
    }
}

fn principal_in(
    known: &Known<KnownSession>,
    organization: Option<OrganizationId>,
) -> Result<Arc<Principal>, SessionError> {
    let mut principals = known.principals.iter();
    let found = match organization {
        Some(wanted) => principals.find(|principal| principal.organization_id == wanted),
        None => principals.next(),
    };
    found.cloned().ok_or(SessionError::WrongOrganization)
}

/// A person in a browser may do whatever their role allows.
fn principal(place: &Membership, credential: &Credential) -> Principal {
    let Membership { organization_id, user_id, role } = *place;
    Principal {
        organization_id,
        user_id,
        role,
        credential: credential.clone(),
        permissions: role.permissions(),
        projects: ProjectReach::All,
        restriction: None,
    }
}

impl fmt::Debug for SessionVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionVerifier")
            .field("known", &self.verified.len())
            .finish_non_exhaustive()
    }
}
