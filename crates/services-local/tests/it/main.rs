//! Backing services, with the real programs.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod contract;
mod postgres;
mod redis;
mod s3;
mod site;
