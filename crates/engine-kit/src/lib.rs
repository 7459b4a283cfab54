//! What engines have in common that look after builds and apps from this machine.
//!
//! Every build and every task has a *supervisor*, a process of its own that outlives the server. It
//! owns the work, the limits, the meter and the [spool] of lines, and writes what it knows to files;
//! the engine in the server only gives orders ([`supervise`]) and reads those files ([`runs`]).
//! Whoever holds the [lock of a folder](claim) answers for it.

pub mod cgroup;
pub mod changes;
pub mod checkout;
pub mod claim;
pub mod faults;
pub mod files;
pub mod health;
pub mod log;
pub mod meter;
pub mod order;
pub mod process;
pub mod readers;
pub mod recognise;
pub mod record;
pub mod runs;
pub mod spool;
pub mod stop;
pub mod supervise;
pub mod tasks;
pub mod watch;
