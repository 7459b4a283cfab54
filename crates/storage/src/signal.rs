//! Hints that something has changed.

use windlass_auth::{ApiKeyId, TokenId};
use windlass_domain::{DeploymentId, EnvironmentId, LogId, UserId};

/// A hint that something has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// A job may be due.
    Jobs,
    /// A log has new lines, or has ended.
    Log(LogId),
    /// A deployment has changed its state.
    Deployment(DeploymentId),
    /// An environment has changed its state.
    Environment(EnvironmentId),
    /// An API key has changed; whatever was derived from it is stale.
    ApiKey(ApiKeyId),
    /// A person's place in some organization has changed: what their credentials may do is stale.
    Member(UserId),
    /// A token, or one that was made of it, has changed; whatever was derived from it is stale.
    Token(TokenId),
    /// Some of a person's sessions have ended; whatever was derived from them is stale.
    Sessions(UserId),
    /// The keys that sign tokens or sessions have changed.
    SigningKeys,
    /// Hints may have been lost (the connection that carries them was interrupted): anything may
    /// have changed.
    Anything,
}
