//! What a credential says against its own use, beyond the rights that it lacks.

use std::{fmt, sync::Arc};

use crate::{Permission, Target};

/// The checks that a credential carries with it, such as those in the blocks of a token.
///
/// They only ever narrow: a [`Restriction`] is asked after everything else has said yes.
pub trait Checks: Send + Sync {
    /// Whether all checks hold for one use. The same question always gets the same answer: time
    /// and address were fixed when the credential was verified.
    fn allow(&self, permission: Permission, target: Target) -> Result<bool, OutOfBudget>;

    /// Whether they may hold for a permission as long as nobody says what it is about. Whoever
    /// cannot tell says yes.
    fn may_allow(&self, _permission: Permission) -> Result<bool, OutOfBudget> {
        Ok(true)
    }
}

/// Checks were not evaluated to the end, because that took more than they may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the credential's checks took more than they may")]
pub struct OutOfBudget;

/// The [`Checks`] of one verified credential, in one request.
#[derive(Clone)]
pub struct Restriction(Arc<dyn Checks>);

impl Restriction {
    /// Wraps checks.
    pub fn new(checks: Arc<dyn Checks>) -> Self {
        Self(checks)
    }

    pub(crate) fn allows(
        &self,
        permission: Permission,
        target: Target,
    ) -> Result<bool, OutOfBudget> {
        self.0.allow(permission, target)
    }

    pub(crate) fn may_allow(&self, permission: Permission) -> Result<bool, OutOfBudget> {
        self.0.may_allow(permission)
    }
}

/// Two are equal when they are the same checks of the same request.
impl PartialEq for Restriction {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Restriction {}

impl fmt::Debug for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Restriction")
    }
}
