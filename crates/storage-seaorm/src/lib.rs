//! The storage traits on SQLite and PostgreSQL, by way of SeaORM.
//!
//! [`SeaStore`] is all that the outside sees: rows and SQL stay in here. Every query is written
//! once for both databases. They differ in how connections are made (`connect`), in the lock that
//! lets one worker at a time choose a job, and in how signals travel (`signals`).
//!
//! **SQLite** is one file that belongs to one server process. Writers queue for the only writing
//! connection, first come first served; readers have connections of their own and never wait for
//! writers.
//!
//! **PostgreSQL** may be shared by any number of servers. What one commits, the others hear of by
//! `LISTEN/NOTIFY`. After an interruption every pool recovers by itself: until then operations
//! fail with [`windlass_storage::StoreError::Unreachable`].

mod connect;
mod error;
mod options;
mod repo;
mod signals;
mod store;
#[cfg(feature = "test-util")]
pub mod test_util;

pub use crate::{options::DatabaseOptions, store::SeaStore};
