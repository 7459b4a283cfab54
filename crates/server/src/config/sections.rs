//! What each section of the configuration says.

use std::{collections::HashMap, net::SocketAddr, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;
use windlass_auth::Network;

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
