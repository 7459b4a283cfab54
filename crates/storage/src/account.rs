//! Repository of accounts: with what people sign in.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_auth::{ExternalIdentity, OneTimeHash, PasswordHash};
use windlass_domain::{EmailAddress, User, UserId};

use crate::StoreError;

/// A person and the password with which they sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub user: User,
    /// What is stored of the password, where there is one.
    pub password: Option<PasswordHash>,
}

/// Stores with what people sign in. A person belongs to no tenant.
#[async_trait]
pub trait AccountRepo: Send {
    /// Finds a person's account.
    async fn find(&mut self, user: UserId) -> Result<Option<Account>, StoreError>;

    /// Finds an account that this unit of work is about to change; others wait until it ends.
    async fn find_for_update(&mut self, user: UserId) -> Result<Option<Account>, StoreError>;

    /// Finds out whose e-mail address it is.
    async fn find_by_email_of_everyone(
        &mut self,
        email: &EmailAddress,
    ) -> Result<Option<Account>, StoreError>;

    /// Finds out who is known by this name elsewhere.
    async fn find_by_identity_of_everyone(
        &mut self,
        identity: &ExternalIdentity,
    ) -> Result<Option<Account>, StoreError>;

    /// Replaces a person's name and e-mail address. Fails with [`StoreError::Taken`] when the
    /// address is somebody else's; after that, the unit of work may be good for nothing more.
    async fn update_user(&mut self, user: &User) -> Result<(), StoreError>;

    /// Sets a person's password, whether or not there is one.
    async fn set_password(
        &mut self,
        user: UserId,
        password: &PasswordHash,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Leaves a person without a password, where there is one.
    async fn remove_password(&mut self, user: UserId) -> Result<(), StoreError>;

    /// Replaces the hash of a password by another of the same password; `false` where another one
    /// than the old is stored.
    async fn replace_hash(
        &mut self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Stores the hash of the one link with which a person's account can be claimed.
    async fn put_setup_link(
        &mut self,
        user: UserId,
        hash: &OneTimeHash,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Whose account can be claimed with a link now.
    async fn find_setup_link(
        &mut self,
        hash: &OneTimeHash,
        now: DateTime<Utc>,
    ) -> Result<Option<UserId>, StoreError>;

    /// The same for whoever claims it: of two at once, one gets it.
    async fn take_setup_link(
        &mut self,
        hash: &OneTimeHash,
        now: DateTime<Utc>,
    ) -> Result<Option<UserId>, StoreError>;

    /// Lists by what a person is known elsewhere, the first first.
    async fn identities_of(&mut self, user: UserId) -> Result<Vec<ExternalIdentity>, StoreError>;

    /// Notes by what a person is known elsewhere. Fails with [`StoreError::Taken`] when somebody is
    /// already known by it.
    async fn insert_identity(
        &mut self,
        user: UserId,
        identity: &ExternalIdentity,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Forgets by what a person is known elsewhere.
    async fn remove_identities_of(&mut self, user: UserId) -> Result<(), StoreError>;
}
