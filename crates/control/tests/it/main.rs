//! The use cases and the durable work, on a real database and an engine that does what it is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod cancelling;
mod counting;
mod deploying;
mod destroying;
mod forge;
mod hooks;
mod invitations;
mod key_addresses;
mod key_import;
mod key_members;
mod key_rotation;
mod keys;
mod leases;
mod manifests;
mod members;
mod once;
mod organizations;
mod pausing;
mod people;
mod previews;
mod projects;
mod pushing;
mod quotas;
mod reconciling;
mod replicas;
mod reporting;
mod services;
mod source_host;
mod sources;
mod support;
mod tokens;
mod variables;
