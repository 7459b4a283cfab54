//! What use cases need from a database, and nothing more.
//!
//! All writes of one use case happen inside one [`UnitOfWork`]; dropping it rolls back. Every
//! query that touches a tenant's data takes the tenant as an argument; the few that serve the
//! platform itself say so in their name (`…_of_everyone`).

mod account;
mod api_key;
mod audit;
mod deployment;
mod env_var;
mod environment;
mod error;
mod imported_format;
mod invitation;
mod job;
mod log;
mod login_code;
mod member;
mod once;
mod organization;
mod project;
mod session;
mod signal;
mod signing_key;
mod token;
mod usage;
mod webhook;

#[cfg(feature = "test-util")]
pub mod contract;

pub use crate::{
    account::{Account, AccountRepo},
    api_key::ApiKeyRepo,
    audit::{AuditFilter, AuditRepo},
    deployment::{BuildRepo, BuildTime, DeploymentRepo, StoredManifest},
    env_var::EnvVarRepo,
    environment::{EnvironmentRepo, Resting},
    error::StoreError,
    imported_format::ImportedFormatRepo,
    invitation::InvitationRepo,
    job::{JobRepo, Lanes, LeaseRequest, QueueDepth},
    log::{LogHead, LogRepo, SourceMove},
    login_code::LoginCodeRepo,
    member::MemberRepo,
    once::{OnceKey, OnceRecord, OnceRepo},
    organization::OrganizationRepo,
    project::{Holding, ProjectFilter, ProjectRepo},
    session::SessionRepo,
    signal::Signal,
    signing_key::{SigningKeyRepo, SigningPurpose, StoredSigningKey},
    token::TokenRepo,
    usage::UsageRepo,
    webhook::WebhookRepo,
};

use async_trait::async_trait;
use tokio::sync::broadcast;

/// Opens units of work.
#[async_trait]
pub trait Store: Send + Sync {
    /// A unit of work that only reads. Each look-up sees what was committed when it was made, so
    /// two of them may differ by what happened in between.
    async fn read(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// A unit of work that may write.
    async fn write(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// What other units of work have committed since, in this process and in others that share
    /// the database. A hint to look, never the truth itself.
    fn signals(&self) -> broadcast::Receiver<Signal>;
}

/// One transaction, with a repository for each kind of entity.
#[async_trait]
pub trait UnitOfWork: Send {
    /// Tenants and people.
    fn organizations(&mut self) -> Box<dyn OrganizationRepo + '_>;
    /// Who belongs to a tenant.
    fn members(&mut self) -> Box<dyn MemberRepo + '_>;
    /// Who is invited to a tenant.
    fn invitations(&mut self) -> Box<dyn InvitationRepo + '_>;
    /// With what people sign in.
    fn accounts(&mut self) -> Box<dyn AccountRepo + '_>;
    /// API keys.
    fn api_keys(&mut self) -> Box<dyn ApiKeyRepo + '_>;
    /// What API keys look like that were made elsewhere.
    fn imported_formats(&mut self) -> Box<dyn ImportedFormatRepo + '_>;
    /// Tokens.
    fn tokens(&mut self) -> Box<dyn TokenRepo + '_>;
    /// Browser sessions.
    fn sessions(&mut self) -> Box<dyn SessionRepo + '_>;
    /// The codes with which programs get their tokens.
    fn login_codes(&mut self) -> Box<dyn LoginCodeRepo + '_>;
    /// The keys that sign tokens and sessions.
    fn signing_keys(&mut self) -> Box<dyn SigningKeyRepo + '_>;
    /// Projects.
    fn projects(&mut self) -> Box<dyn ProjectRepo + '_>;
    /// Environments.
    fn environments(&mut self) -> Box<dyn EnvironmentRepo + '_>;
    /// Deployments.
    fn deployments(&mut self) -> Box<dyn DeploymentRepo + '_>;
    /// Builds.
    fn builds(&mut self) -> Box<dyn BuildRepo + '_>;
    /// Durable work.
    fn jobs(&mut self) -> Box<dyn JobRepo + '_>;
    /// Log lines.
    fn logs(&mut self) -> Box<dyn LogRepo + '_>;
    /// Environment variables.
    fn env_vars(&mut self) -> Box<dyn EnvVarRepo + '_>;
    /// Requests that are carried out once.
    fn once(&mut self) -> Box<dyn OnceRepo + '_>;
    /// The audit log.
    fn audit(&mut self) -> Box<dyn AuditRepo + '_>;
    /// The webhooks of forges.
    fn webhooks(&mut self) -> Box<dyn WebhookRepo + '_>;
    /// The usage ledger.
    fn usage(&mut self) -> Box<dyn UsageRepo + '_>;

    /// Tells everybody about a change, if and when it is committed.
    fn signal(&mut self, signal: Signal);

    /// Does something short here, if and when the unit of work is committed: what could not be
    /// taken back, like counting.
    fn after_commit(&mut self, action: Box<dyn FnOnce() + Send>);

    /// Makes everything since the start permanent.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
