//! Sessions as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_auth::{SessionId, SessionRecord};

/// A session of a browser.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    #[schema(example = "ses_01kdvdna00000000000000000b")]
    id: String,
    created_at: DateTime<Utc>,
    /// When it ends by itself.
    expires_at: DateTime<Utc>,
    /// When it was last used, give or take some seconds.
    last_seen_at: DateTime<Utc>,
    /// How the browser described itself when it began.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    user_agent: String,
    /// From where it was begun, where that is known.
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
    /// Whether it is the one that asks.
    is_current: bool,
}

impl SessionView {
    pub(crate) fn new(session: SessionRecord, current: Option<SessionId>) -> Self {
        let SessionRecord {
            id,
            user_id: _,
            created_at,
            expires_at,
            last_seen_at,
            user_agent,
            address,
        } = session;
        Self {
            id: id.to_string(),
            created_at,
            expires_at,
            last_seen_at,
            user_agent,
            address: address.map(|address| address.to_string()),
            is_current: current == Some(id),
        }
    }
}
