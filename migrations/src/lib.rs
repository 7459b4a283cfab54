//! The database schema, as a list of steps for SQLite and PostgreSQL alike.
//!
//! A step that has been released is never edited: what is wrong with it is put right by a later
//! one. Every step can be undone, as long as nobody minds the data that it held.
//!
//! Conditions of partial indexes are written out (`state <> 'destroyed'`). A query uses such an
//! index only if it repeats the condition literally, not through a bound parameter.

mod m20260901_000001_create_tenants;
mod m20260901_000002_create_projects;
mod m20260901_000003_create_deployments;
mod m20260901_000004_create_jobs;
mod m20260901_000005_create_logs;
mod m20260901_000020_extend_api_keys;
mod m20260901_000030_create_tokens;
mod m20260901_000040_create_accounts;
mod m20260901_000041_create_sessions;
mod m20260901_000042_create_setup_links;
mod m20260901_000050_create_invitations;
mod m20260901_000060_create_audit_log;
mod m20260901_000070_create_once_requests;
mod m20260901_000080_create_login_codes;
mod m20260901_000090_add_quotas;
mod m20260901_000100_add_previews;
mod m20260901_000110_create_webhooks;
mod m20260901_000120_create_manifests;
mod m20260901_000130_add_set_up;

pub use sea_orm_migration::MigratorTrait;

use sea_orm_migration::MigrationTrait;

/// All steps, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260901_000001_create_tenants::Migration),
            Box::new(m20260901_000002_create_projects::Migration),
            Box::new(m20260901_000003_create_deployments::Migration),
            Box::new(m20260901_000004_create_jobs::Migration),
            Box::new(m20260901_000005_create_logs::Migration),
            Box::new(m20260901_000020_extend_api_keys::Migration),
            Box::new(m20260901_000030_create_tokens::Migration),
            Box::new(m20260901_000040_create_accounts::Migration),
            Box::new(m20260901_000041_create_sessions::Migration),
            Box::new(m20260901_000042_create_setup_links::Migration),
            Box::new(m20260901_000050_create_invitations::Migration),
            Box::new(m20260901_000060_create_audit_log::Migration),
            Box::new(m20260901_000070_create_once_requests::Migration),
            Box::new(m20260901_000080_create_login_codes::Migration),
            Box::new(m20260901_000090_add_quotas::Migration),
            Box::new(m20260901_000100_add_previews::Migration),
            Box::new(m20260901_000110_create_webhooks::Migration),
            Box::new(m20260901_000120_create_manifests::Migration),
            Box::new(m20260901_000130_add_set_up::Migration),
        ]
    }
}
