//! What tests look with.

pub(crate) mod logged;
pub(crate) mod secrets;
