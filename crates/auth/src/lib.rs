//! Who may do what.

mod record;

pub use crate::record::{ApiKeyId, ApiKeyRecord, Membership, ParseRoleError, Role};
