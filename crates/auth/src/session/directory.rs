//! Where what is stored about sessions comes from.

use async_trait::async_trait;

use crate::{DirectoryError, Membership, SessionId, SessionRecord};

/// Finds stored sessions; implemented on top of whatever stores them.
#[async_trait]
pub trait SessionDirectory: Send + Sync {
    /// Finds a session, whoever's it is, expired ones included. One that was ended is not there.
    ///
    /// Must see every change that was complete before the call.
    async fn find_session(&self, id: SessionId) -> Result<Option<SessionEntry>, DirectoryError>;
}

/// A stored session, and what its person is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEntry {
    /// The session as it is stored.
    pub record: SessionRecord,
    /// The person's places, the first of which is used where none is asked for. Somebody who has
    /// none is let in nowhere.
    pub memberships: Vec<Membership>,
}
