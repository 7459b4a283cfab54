//! The local engine with real repositories, real processes and the confinement of this machine.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod apps;
mod builds;
mod confinement;
mod contract;
mod environment;
mod limits;
mod metering;
mod site;
mod survival;
mod tasks;
