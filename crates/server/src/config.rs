//! Configuration: built-in defaults, then a file, then `WINDLASS_*` variables, then flags.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use windlass_auth::Network;

use crate::{ServeArgs, github_app, machinery, plans};

/// Every setting has its default here and nowhere else.
pub(crate) const DEFAULTS: &str = include_str!("defaults.toml");
/// The file that is read when none is named and it is there.
const FILE: &str = "windlass.toml";

/// The whole configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) log: Log,
    pub(crate) telemetry: Telemetry,
    pub(crate) database: Database,
    pub(crate) ingress: Ingress,
    pub(crate) git: Git,
    pub(crate) jobs: Jobs,
    pub(crate) builds: Builds,
    pub(crate) apps: Apps,
    pub(crate) engine: Engine,
    pub(crate) swarm: Swarm,
    pub(crate) services: Services,
    pub(crate) keys: Keys,
    pub(crate) audit: Audit,
    pub(crate) limits: Limits,
    pub(crate) quotas: Quotas,
    pub(crate) sessions: Sessions,
    pub(crate) passwords: Passwords,
    pub(crate) github: Github,
}

/// `[server]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) shutdown_seconds: u64,
    pub(crate) stop_apps: bool,
    pub(crate) open_metrics: bool,
    pub(crate) public_url: String,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) proxy_header: ProxyHeader,
}

/// In which header proxies say whom they speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum ProxyHeader {
    #[serde(rename = "x-forwarded-for")]
    XForwardedFor,
    #[serde(rename = "forwarded")]
    Forwarded,
}

/// `[log]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) filter: String,
    pub(crate) format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For machines.
    Json,
    /// For people.
    Text,
}

/// `[telemetry]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Telemetry {
    pub(crate) otlp_endpoint: String,
}

/// `[database]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    /// It may contain a password.
    pub(crate) url: SecretString,
    pub(crate) max_connections: u32,
}

/// `[ingress]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ingress {
    pub(crate) listen: SocketAddr,
    pub(crate) base_domain: String,
    pub(crate) scheme: String,
    pub(crate) public_port: u16,
    pub(crate) response_timeout_seconds: u64,
    pub(crate) max_connections: usize,
    pub(crate) tls: Tls,
}

/// `[ingress.tls]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) public_port: u16,
    pub(crate) certificates: Vec<CertificateFiles>,
}

/// One of `ingress.tls.certificates`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// `[git]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Git {
    pub(crate) allow_local: bool,
}

/// `[jobs]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jobs {
    pub(crate) workers: usize,
    pub(crate) slots_per_organization: u32,
    pub(crate) attempts: u32,
    pub(crate) lease_seconds: u64,
}

/// `[builds]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Builds {
    pub(crate) cpu: f64,
    pub(crate) memory_mb: u32,
    pub(crate) timeout_seconds: u64,
    pub(crate) processes: u32,
    pub(crate) disk_mb: u32,
    pub(crate) log_mb: u32,
    pub(crate) kept: u32,
}

/// `[apps]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Apps {
    pub(crate) cpu: f64,
    pub(crate) memory_mb: u32,
    pub(crate) processes: u32,
    pub(crate) log_mb: u32,
    pub(crate) log_lines: u64,
    pub(crate) start_timeout_seconds: u64,
    pub(crate) drain_timeout_seconds: u64,
    pub(crate) stop_grace_seconds: u64,
}

/// `[engine]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Engine {
    pub(crate) kind: EngineKind,
    pub(crate) first_uid: u32,
    pub(crate) read_only_paths: Vec<PathBuf>,
}

/// What builds and runs apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EngineKind {
    /// This machine itself.
    Local,
    /// A Docker Swarm.
    Swarm,
}

/// `[swarm]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Swarm {
    pub(crate) endpoint: String,
    pub(crate) tls_ca: PathBuf,
    pub(crate) tls_certificate: PathBuf,
    pub(crate) tls_key: PathBuf,
    pub(crate) namespace: String,
    pub(crate) registry: String,
    pub(crate) registry_username: String,
    pub(crate) registry_password: SecretString,
    pub(crate) node_image: String,
    pub(crate) python_image: String,
    pub(crate) site_image: String,
    pub(crate) other_image: String,
}

/// `[services]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Services {
    pub(crate) data_dir: PathBuf,
    pub(crate) user: String,
    pub(crate) redis_memory_mb: u32,
}

/// `[keys]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    pub(crate) prefix: String,
    pub(crate) bcrypt_cost: u32,
    pub(crate) recheck_seconds: u64,
}

/// `[audit]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audit {
    pub(crate) keep_days: u32,
}

/// `[limits]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) per_credential: u32,
    pub(crate) per_address: u32,
}

/// `[quotas]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quotas {
    pub(crate) plan: String,
    pub(crate) plans: HashMap<String, Plan>,
}

/// `[quotas.plans.NAME]`: what is not named has no limit.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) max_projects: Option<u32>,
    pub(crate) max_environments: Option<u32>,
    pub(crate) max_cpu: Option<f64>,
    pub(crate) max_memory_mb: Option<u32>,
    pub(crate) build_minutes: Option<u32>,
}

/// `[sessions]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sessions {
    pub(crate) days: u16,
    pub(crate) idle_days: u16,
}

/// `[passwords]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passwords {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
}

/// `[github]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Github {
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) url: String,
    pub(crate) api_url: String,
    pub(crate) app: GithubApp,
}

/// `[github.app]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GithubApp {
    pub(crate) id: u64,
    pub(crate) private_key_file: PathBuf,
    pub(crate) accounts: HashMap<String, Vec<String>>,
}

impl Config {
    /// Reads the file, the environment and the flags.
    ///
    /// # Errors
    /// Names the key that is wrong or unknown, where it came from, and what was expected.
    pub(crate) fn load(args: &ServeArgs) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        match &args.config {
            Some(file) => {
                ensure!(file.is_file(), "the configuration file {} is not there", file.display());
                figment = figment.merge(Toml::file_exact(file));
            }
            None if Path::new(FILE).is_file() => figment = figment.merge(Toml::file_exact(FILE)),
            None => {}
        }
        // Without a section it is not ours to read: `WINDLASS_TOKEN` is the command line's.
        let environment = Env::prefixed("WINDLASS_").filter(|key| key.as_str().contains("__"));
        let figment = figment.merge(environment.split("__"));
        Self::from_figment(&with_flags(figment, args)).context("the configuration is wrong")
    }

    fn from_figment(figment: &Figment) -> anyhow::Result<Self> {
        let config: Self = figment.extract()?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(0 < self.database.max_connections, "database.max_connections must be at least 1");
        ensure!(0 < self.jobs.workers, "jobs.workers must be at least 1");
        ensure!(
            0 < self.jobs.slots_per_organization,
            "jobs.slots_per_organization must be at least 1"
        );
        ensure!(0 < self.jobs.attempts, "jobs.attempts must be at least 1");
        ensure!(3 <= self.jobs.lease_seconds, "jobs.lease_seconds must be at least 3");
        ensure!(0 < self.audit.keep_days, "audit.keep_days must be at least 1");
        ensure!(0 < self.sessions.days, "sessions.days must be at least 1");
        ensure!(0 < self.sessions.idle_days, "sessions.idle_days must be at least 1");
        ensure!(0 < self.keys.recheck_seconds, "keys.recheck_seconds must be at least 1");
        for (key, cpu) in [("builds.cpu", self.builds.cpu), ("apps.cpu", self.apps.cpu)] {
            ensure!(
                (0.01..=1_024.0).contains(&cpu),
                "{key} must be a number of cores from 0.01 on"
            );
        }
        let github = &self.github;
        ensure!(
            github.client_id.is_empty() == github.client_secret.expose_secret().is_empty(),
            "github.client_id and github.client_secret belong together"
        );
        ensure!(
            (github.app.id == 0) == github.app.private_key_file.as_os_str().is_empty(),
            "github.app.id and github.app.private_key_file belong together"
        );
        github_app::accounts(&github.app)?;
        plans::of(&self.quotas)?;
        // What the section says is checked whether it is used or not.
        machinery::swarm_settings(&self.swarm)?;
        let url = self.server.public_url.as_str();
        ensure!(
            url.is_empty() || url.starts_with("http://") || url.starts_with("https://"),
            "server.public_url must begin with `http://` or `https://`"
        );
        let scheme = self.ingress.scheme.as_str();
        ensure!(matches!(scheme, "http" | "https"), "ingress.scheme must be `http` or `https`");
        Ok(())
    }
}

/// A flag that was given wins over everything.
fn with_flags(mut figment: Figment, args: &ServeArgs) -> Figment {
    let ServeArgs {
        config: _,
        data_dir,
        listen,
        ingress_listen,
        database_url,
        allow_local_git,
        stop_apps,
    } = args;
    if let Some(data_dir) = data_dir {
        figment = figment.merge(Serialized::default("server.data_dir", data_dir));
    }
    if let Some(listen) = listen {
        figment = figment.merge(Serialized::default("server.listen", listen));
    }
    if let Some(listen) = ingress_listen {
        figment = figment.merge(Serialized::default("ingress.listen", listen));
    }
    if let Some(url) = database_url {
        figment = figment.merge(Serialized::default("database.url", url));
    }
    if *allow_local_git {
        figment = figment.merge(Serialized::default("git.allow_local", true));
    }
    if *stop_apps {
        figment = figment.merge(Serialized::default("server.stop_apps", true));
    }
    figment
}

#[cfg(test)]
mod tests;
