//! Configuration: built-in defaults, then a file, then `WINDLASS_*` variables, then flags.

mod sections;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context as _, ensure};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::{ServeArgs, github_app, machinery, plans};

pub(crate) use self::sections::{
    Apps, Audit, Builds, CertificateFiles, Database, Engine, EngineKind, Git, Github, GithubApp,
    Ingress, Jobs, Keys, Limits, Log, LogFormat, Passwords, Plan, ProxyHeader, Quotas, Server,
    Services, Sessions, Swarm, Telemetry, Tls,
};

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
