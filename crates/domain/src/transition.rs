//! The one error of all state machines.

/// The entity's state does not allow the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot {wanted} a {entity} that is {state}")]
pub struct TransitionError {
    /// What was asked for, as a verb.
    pub wanted: &'static str,
    /// The kind of entity.
    pub entity: &'static str,
    /// The state it is in.
    pub state: &'static str,
}
