//! The use cases of Windlass, its durable work and its reconciler.
//!
//! A use case is a function: the context ([`Control`]) first, who calls ([`Caller`]) second, what
//! is wanted last. It opens one unit of work, loads, authorizes, changes, stores, writes down who
//! did it and commits. What
//! takes longer than a transaction is a job, enqueued in the transaction that creates its cause
//! and carried out by [`Control::run`].
//!
//! This crate knows nothing of HTTP and nothing of SQL.

mod api_key;
mod app_log;
mod audit;
mod authenticate;
mod background;
mod caller;
mod causes;
mod deployment;
mod env_var;
mod environment;
mod error;
mod import_keys;
mod install;
mod invitation;
mod log;
mod log_store;
mod login_code;
mod member;
mod metrics_access;
mod once;
mod organization;
mod project;
mod quota;
mod readiness;
mod reconcile;
mod route;
mod seal;
mod services;
mod session;
mod settings;
mod signing_keys;
mod source_host;
mod telemetry;
mod token;
mod usage;
mod watch;
mod webhook;
mod whoami;
mod worker;

pub use crate::{
    api_key::{MOST_OVERLAP, create_api_key, list_api_keys, revoke_api_key, rotate_api_key},
    audit::list_audit_log,
    authenticate::{Presentation, PresentedCredential},
    caller::{Caller, Occasion},
    causes::Causes,
    deployment::{
        cancel_deployment, get_deployment, list_deployments, rollback_deployment, wait_for_build,
        wait_for_deployment,
    },
    env_var::{EnvVarView, PutEnvVar, delete_env_var, list_env_vars, put_env_var},
    environment::{
        EnvironmentDetail, create_environment, destroy_environment, get_environment,
        list_environments, pause_environment, rebuild_environment, reset_environment,
        resume_environment, wait_until_destroyed, wake_environment,
    },
    error::ControlError,
    import_keys::{Arrival, Newcomer, Refusal, import_keys},
    install::{Installation, install},
    invitation::{
        AcceptedBy, Invited, Registration, accept_invitation, create_invitation, list_invitations,
        look_at_invitation, register_by_invitation, revoke_invitation,
    },
    log::{LogChunk, LogReader, open_deployment_log, open_environment_log},
    login_code::{ExchangeLoginCode, exchange_login_code, grant_login_code},
    member::{get_member, list_members, remove_member, set_member_role},
    metrics_access::may_read_metrics,
    once::{Attempt, Begun, Once},
    organization::{
        Belonging, create_organization, get_organization, list_organizations, update_organization,
    },
    project::{
        CreateProject, Expected, create_project, delete_project, get_project, list_projects,
        update_project, wait_until_deleted,
    },
    quota::{Plans, Quota, get_quota},
    readiness::{Readiness, check_readiness},
    route::{RouteTarget, Routes},
    seal::{Keyring, SealError},
    session::{
        AttemptLimits, Browser, ChangePassword, Departed, Departure, Return, Returned, SetUp,
        SetUpFor, SignIn, SignedIn, begin_github_sign_in, change_password, end_session,
        list_sessions, offer_set_up, set_up, sign_in, sign_in_with_github, sign_out,
    },
    settings::Settings,
    signing_keys::{NewRootKey, OldKeys, rotate_root_key, rotate_session_key},
    source_host::{
        Presence, Report, ReportedState, SourceAccounts, SourceHost, SourceHostError, SourceHosting,
    },
    token::{
        CreateLink, CreatedLink, LinkedLog, create_link, create_token, end_own_token, list_tokens,
        revoke_presented_token, revoke_token,
    },
    usage::{UsagePeriod, get_usage},
    webhook::{
        NewWebhookSecret, Receipt, list_webhook_deliveries, receive_webhook, redeliver_webhook,
        rotate_webhook_secret,
    },
    whoami::{WhoAmI, whoami},
};

/// Which lines of the audit log are wanted.
pub use windlass_storage::AuditFilter;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use windlass_auth::{
    IdentityService, KeyFormat, KeyHasher, KeyVerifier, PasswordHasher, RootKeys, SessionKeys,
    SessionVerifier, TokenVerifier,
};
use windlass_domain::{Clock, Effects, Entropy, WorkerId};
use windlass_engine::Engine;
use windlass_services::BackingServices;
use windlass_storage::Store;

use crate::{
    app_log::Followers,
    audit::Refusals,
    authenticate::StoreKeyDirectory,
    reconcile::Reviving,
    route::RouteKeeper,
    services::Backing,
    session::{Attempts, Spent, StoreSessionDirectory},
    token::StoreTokenDirectory,
};

/// What [`Control`] is made of.
pub struct Parts {
    /// The database.
    pub store: Arc<dyn Store>,
    /// What builds and runs.
    pub engine: Arc<dyn Engine>,
    /// What gives apps databases, Redis servers and buckets.
    pub services: Arc<dyn BackingServices>,
    /// Where requests are sent.
    pub routes: Arc<dyn Routes>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Opens and closes secrets at rest.
    pub keyring: Keyring,
    /// How API keys look.
    pub key_format: KeyFormat,
    /// How API keys are hashed.
    pub key_hasher: KeyHasher,
    /// How passwords are hashed.
    pub password_hasher: PasswordHasher,
    /// Who tells who somebody is on GitHub, where people can sign in with that.
    pub github: Option<Arc<dyn IdentityService>>,
    /// The host of sources that knows this server, where there is one.
    pub source_hosting: Option<SourceHosting>,
    /// Names this server among those that share the database; the same after a restart.
    pub worker: WorkerId,
    /// Everything that can be configured.
    pub settings: Settings,
}

/// Everything a use case reaches for. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    keyring: Keyring,
    key_format: KeyFormat,
    key_hasher: KeyHasher,
    password_hasher: PasswordHasher,
    github: Option<Arc<dyn IdentityService>>,
    source_hosting: Option<SourceHosting>,
    verifier: KeyVerifier,
    tokens: TokenVerifier,
    sessions: SessionVerifier,
    attempts: Attempts,
    spent: Spent,
    worker: WorkerId,
    settings: Settings,
    routes: RouteKeeper,
    followers: Followers,
    refusals: Arc<Refusals>,
    reviving: Reviving,
    backing: Backing,
    /// Cancelled at the end of [`Control::run`].
    stopping: CancellationToken,
}

impl Control {
    /// Puts the parts together. Nothing runs before [`Control::run`].
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts {
            store,
            engine,
            services,
            routes,
            clock,
            entropy,
            keyring,
            key_format,
            key_hasher,
            password_hasher,
            github,
            source_hosting,
            worker,
            settings,
        } = parts;
        let verifier = KeyVerifier::new(
            Arc::new(StoreKeyDirectory::new(store.clone())),
            key_hasher.clone(),
            key_format.clone(),
            clock.clone(),
            settings.verified_keys,
        );
        let tokens = TokenVerifier::new(
            Arc::new(StoreTokenDirectory::new(store.clone(), clock.clone())),
            RootKeys::none(),
            clock.clone(),
            settings.verified_keys,
        );
        let refusals = Arc::new(Refusals::new(clock.clone(), entropy.clone()));
        let sessions = SessionVerifier::new(
            Arc::new(StoreSessionDirectory::new(store.clone())),
            SessionKeys::none(),
            clock.clone(),
            settings.session_idle_limit,
            settings.verified_keys,
        );
        let attempts = Attempts::new(settings.sign_in_attempts);
        let routes = RouteKeeper::new(store.clone(), engine.clone(), routes);
        let inner = Inner {
            store,
            engine,
            clock,
            entropy,
            keyring,
            key_format,
            key_hasher,
            password_hasher,
            github,
            source_hosting,
            verifier,
            tokens,
            sessions,
            attempts,
            spent: Spent::default(),
            worker,
            settings,
            routes,
            followers: Followers::default(),
            refusals,
            reviving: Reviving::default(),
            backing: Backing::new(services),
            stopping: CancellationToken::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.inner.engine
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn fx(&self) -> Effects<'_> {
        Effects { clock: &*self.inner.clock, entropy: &*self.inner.entropy }
    }
}
