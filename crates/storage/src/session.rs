//! Repository of browser sessions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_auth::{SessionId, SessionRecord};
use windlass_domain::{Page, PageRequest, UserId};

use crate::StoreError;

/// Stores who has signed in. One that was ended is gone.
#[async_trait]
pub trait SessionRepo: Send {
    /// Finds the session that a browser presents, whoever's it is: it tells who is calling.
    async fn find_of_everyone(
        &mut self,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError>;

    /// Lists a person's sessions, newest first.
    async fn list(
        &mut self,
        user: UserId,
        page: PageRequest<SessionId>,
    ) -> Result<Page<SessionRecord>, StoreError>;

    /// Adds a session.
    async fn insert(&mut self, session: &SessionRecord) -> Result<(), StoreError>;

    /// Ends one of a person's sessions; `false` when there is no such session.
    async fn delete(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError>;

    /// Ends all of a person's sessions but one.
    async fn delete_others(
        &mut self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError>;

    /// Notes when sessions were last used; an earlier time than the stored one changes nothing.
    async fn note_seen(&mut self, uses: &[(SessionId, DateTime<Utc>)]) -> Result<(), StoreError>;

    /// Removes sessions that have expired by now, or were last used before a time.
    async fn prune(
        &mut self,
        now: DateTime<Utc>,
        unused_since: DateTime<Utc>,
    ) -> Result<(), StoreError>;
}
