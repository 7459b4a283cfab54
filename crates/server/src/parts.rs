//! Makes the parts that the configuration asks for.

use std::{num::NonZeroU32, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use windlass_auth::{
    BcryptCost, HasherOptions, IdentityService, KeyFormat, KeyHasher, PasswordCost, PasswordHasher,
    PasswordOptions, VerifierOptions,
};
use windlass_control::{AttemptLimits, Control, Parts, Settings};
use windlass_domain::{Backoff, Clock, Entropy, OsEntropy, SystemClock};
use windlass_engine::{AppLimits, BuildLimits};
use windlass_github::{Github, GithubOptions};
use windlass_http::{AppAddress, ForwardedHeader, RateLimits, TrustedProxies};
use windlass_ingress::{External, HttpsRedirect, Ingress, IngressConfig, Limits, Scheme};
use windlass_services::BackingServices;
use windlass_storage::Store;
use windlass_storage_seaorm::{DatabaseOptions, SeaStore};

use crate::{
    backing_services,
    config::{Config, Passwords, ProxyHeader},
    data_dir::DataDir,
    github_app,
    ingress_routes::IngressRoutes,
    machinery::Machinery,
    plans,
};

/// Where the ingress listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) plain: u16,
    pub(crate) tls: Option<u16>,
}

/// Everything that the server runs.
pub(crate) struct Running {
    pub(crate) control: Control,
    pub(crate) engine: Machinery,
    pub(crate) services: Arc<dyn BackingServices>,
    pub(crate) ingress: Ingress,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// Makes everything that the server runs; nothing of it runs yet.
///
/// `ingress_port` is the one that the ingress listens on.
pub(crate) async fn make(
    config: &Config,
    data: &DataDir,
    store: SeaStore,
    ports: Ports,
) -> anyhow::Result<Running> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let engine = Machinery::open(config, data).await?;
    let services = backing_services::open(config, data, &*entropy).await?;
    let ingress = Ingress::new(ingress_config(config, ports));
    let store: Arc<dyn Store> = Arc::new(store);
    let control = Control::new(Parts {
        store: Arc::clone(&store),
        engine: engine.as_engine(),
        services: Arc::clone(&services),
        routes: Arc::new(IngressRoutes(ingress.clone())),
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        keyring: data.keyring(&*entropy)?,
        key_format: KeyFormat::with_prefix(&config.keys.prefix).context("keys.prefix")?,
        key_hasher: key_hasher(config)?,
        password_hasher: password_hasher(config)?,
        github: github(config)?,
        source_hosting: github_app::open(config, app_address(config, ports), Arc::clone(&clock))?,
        worker: data.worker(&*entropy)?,
        settings: settings(config)?,
    });
    Ok(Running { control, engine, services, ingress, store, clock, entropy })
}

/// Connects to the database and brings it up to date.
pub(crate) async fn open_store(config: &Config, data: &DataDir) -> anyhow::Result<SeaStore> {
    let store = connect(config, &data.sqlite_file()).await?;
    store.migrate().await.context("cannot bring the database up to date")?;
    Ok(store)
}

/// Connects to the database: the one that is configured, or the one in this file.
pub(crate) async fn connect(config: &Config, file: &Path) -> anyhow::Result<SeaStore> {
    let url = &config.database.url;
    let options = if url.expose_secret().is_empty() {
        DatabaseOptions::sqlite_file(file)
            .context("the path of the data folder is not Unicode: name a `database.url`")?
    } else {
        DatabaseOptions::new(url.clone())
    };
    let max_connections = config.database.max_connections;
    let options = DatabaseOptions { max_connections, ..options };
    SeaStore::connect(&options).await.context("cannot reach the database")
}

/// Under which addresses apps are reached.
pub(crate) fn app_address(config: &Config, ports: Ports) -> AppAddress {
    let External { scheme, port } = external(config, ports);
    let usual = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    AppAddress {
        scheme: scheme.name().to_owned(),
        base_domain: config.ingress.base_domain.clone(),
        port: (port != usual).then_some(port),
    }
}

/// Who may say where requests come from.
pub(crate) fn trusted_proxies(config: &Config) -> TrustedProxies {
    let header = match config.server.proxy_header {
        ProxyHeader::XForwardedFor => ForwardedHeader::XForwardedFor,
        ProxyHeader::Forwarded => ForwardedHeader::Forwarded,
    };
    TrustedProxies { networks: config.server.trusted_proxies.clone(), header }
}

/// How often somebody may ask.
pub(crate) fn rate_limits(config: &Config) -> RateLimits {
    RateLimits {
        per_credential: NonZeroU32::new(config.limits.per_credential),
        per_address: NonZeroU32::new(config.limits.per_address),
    }
}

/// How people reach the apps.
fn external(config: &Config, ports: Ports) -> External {
    if let Some(port) = tls_port(config, ports) {
        return External { scheme: Scheme::Https, port };
    }
    let is_https = config.ingress.scheme == "https";
    External {
        scheme: if is_https { Scheme::Https } else { Scheme::Http },
        port: if config.ingress.public_port == 0 {
            ports.plain
        } else {
            config.ingress.public_port
        },
    }
}

/// The port that people see with TLS, if we end it.
fn tls_port(config: &Config, ports: Ports) -> Option<u16> {
    let seen = config.ingress.tls.public_port;
    ports.tls.map(|port| if seen == 0 { port } else { seen })
}

fn ingress_config(config: &Config, ports: Ports) -> IngressConfig {
    IngressConfig {
        base_domain: config.ingress.base_domain.clone(),
        external: external(config, ports),
        https: tls_port(config, ports).map(|port| HttpsRedirect { port }),
        limits: Limits {
            connections: config.ingress.max_connections,
            response: Duration::from_secs(config.ingress.response_timeout_seconds),
            shutdown: Duration::from_secs(config.server.shutdown_seconds),
            ..Limits::default()
        },
    }
}

fn key_hasher(config: &Config) -> anyhow::Result<KeyHasher> {
    let cost = BcryptCost::new(config.keys.bcrypt_cost).context("keys.bcrypt_cost")?;
    Ok(KeyHasher::new(HasherOptions { cost, ..HasherOptions::default() }))
}

fn password_hasher(config: &Config) -> anyhow::Result<PasswordHasher> {
    let Passwords { memory_kib, passes } = config.passwords;
    let cost = PasswordCost::new(memory_kib, passes).context("passwords")?;
    Ok(PasswordHasher::new(PasswordOptions { cost, ..PasswordOptions::default() }))
}

/// Who tells who somebody is on GitHub, where this server is registered there.
fn github(config: &Config) -> anyhow::Result<Option<Arc<dyn IdentityService>>> {
    let config = &config.github;
    if config.client_id.is_empty() {
        return Ok(None);
    }
    let options = GithubOptions {
        client_id: config.client_id.clone(),
        client_secret: config.client_secret.clone(),
        url: config.url.clone(),
        api_url: config.api_url.clone(),
    };
    Ok(Some(Arc::new(Github::new(options).context("the section [github]")?)))
}

fn settings(config: &Config) -> anyhow::Result<Settings> {
    let Config { git, jobs, builds, apps, keys, audit, sessions, .. } = config;
    Ok(Settings {
        allow_local_git: git.allow_local,
        workers: jobs.workers,
        slots_per_organization: jobs.slots_per_organization,
        lease: Duration::from_secs(jobs.lease_seconds),
        job_attempts: jobs.attempts,
        job_backoff: Backoff { first: TimeDelta::seconds(2), most: TimeDelta::minutes(1) },
        job_retention: TimeDelta::days(7),
        tend_previews: Duration::from_secs(5),
        delivery_retention: TimeDelta::days(30),
        build_restarts: 2,
        poll: Duration::from_secs(2),
        reconcile: Duration::from_secs(15),
        build_limits: BuildLimits {
            cpu_millis: millis(builds.cpu),
            memory_bytes: mebibytes(builds.memory_mb),
            wall: Duration::from_secs(builds.timeout_seconds),
            processes: builds.processes,
            disk_bytes: mebibytes(builds.disk_mb),
            log_bytes: mebibytes(builds.log_mb),
        },
        app_limits: AppLimits {
            cpu_millis: millis(apps.cpu),
            memory_bytes: mebibytes(apps.memory_mb),
            processes: apps.processes,
            log_bytes: mebibytes(apps.log_mb),
        },
        start_timeout: Duration::from_secs(apps.start_timeout_seconds),
        drain_timeout: Duration::from_secs(apps.drain_timeout_seconds),
        stop_grace: Duration::from_secs(apps.stop_grace_seconds),
        kept_builds: builds.kept,
        app_log_lines: apps.log_lines,
        audit_retention: TimeDelta::days(i64::from(audit.keep_days)),
        verified_keys: VerifierOptions {
            cache_ttl: Duration::from_secs(keys.recheck_seconds),
            ..VerifierOptions::default()
        },
        session_life: TimeDelta::days(sessions.days.into()),
        session_idle_limit: TimeDelta::days(sessions.idle_days.into()),
        sign_in_attempts: AttemptLimits::default(),
        plans: plans::of(&config.quotas)?,
    })
}

fn mebibytes(count: u32) -> u64 {
    u64::from(count) << 20
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the configuration was checked to lie between 0.01 and 1024"
)]
fn millis(cores: f64) -> u32 {
    (cores * 1_000.0).round() as u32
}
