//! Backing services on one machine: a PostgreSQL server for each project with a database for each
//! of its environments, a Redis server for each environment, and S3 buckets in folders.
//!
//! The servers are the machine's own programs, in processes that outlive Windlass and are found
//! again by the lock that each holds. Passwords are derived from one key, so none is stored. Everything of a project is in one folder, which goes with its last environment.

mod config;
mod files;
mod layout;
mod local;
mod locks;
mod means;
mod needs;
mod ports;
mod postgres;
mod programs;
mod record;
mod redis;
mod s3;
mod secrets;
mod server;

pub use crate::{
    config::{SecretKey, ServiceUser, ServicesConfig},
    local::LocalServices,
};
