//! Tenants and the people in them.

use chrono::{DateTime, Utc};

use crate::{Effects, EmailAddress, Id, IdKind, Name, PlanName};

/// A tenant: owns projects, keys, usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Identifier.
    pub id: OrganizationId,
    /// Its name.
    pub name: Name,
    /// What it may use, where that is not what everybody may.
    pub plan: Option<PlanName>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Identifier of an [`Organization`].
pub type OrganizationId = Id<Organization>;

impl IdKind for Organization {
    const PREFIX: &'static str = "org";
}

impl Organization {
    /// Creates an organization; the caller then stores it.
    #[must_use]
    pub fn create(name: Name, fx: Effects<'_>) -> Self {
        Self { id: Id::generate(fx), name, plan: None, created_at: fx.clock.now() }
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// How the person is called.
    pub name: Name,
    /// Where the person is written to, and what they sign in with; nobody else has the same.
    pub email: Option<EmailAddress>,
    /// When the person was added.
    pub created_at: DateTime<Utc>,
}

/// Identifier of a [`User`].
pub type UserId = Id<User>;

impl IdKind for User {
    const PREFIX: &'static str = "usr";
}

impl User {
    /// Adds a person without an e-mail address; the caller then stores it.
    #[must_use]
    pub fn create(name: Name, fx: Effects<'_>) -> Self {
        Self { id: Id::generate(fx), name, email: None, created_at: fx.clock.now() }
    }
}
