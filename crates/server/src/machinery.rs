//! The engine that the configuration asks for.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use secrecy::ExposeSecret as _;
use windlass_engine::{Engine, EngineError};
use windlass_engine_local::{LocalEngine, LocalEngineConfig, Users};
use windlass_engine_swarm::{
    BaseImages, Endpoint, Namespace, Registry, SupervisorProgram, SwarmEngine, SwarmEngineConfig,
};

use crate::{
    config::{Config, EngineKind, Swarm},
    data_dir::DataDir,
};

/// What builds and runs apps, with what only whoever starts and stops the server asks of it.
#[derive(Clone)]
pub(crate) enum Machinery {
    Local(Arc<LocalEngine>),
    Swarm(Arc<SwarmEngine>),
}

impl Machinery {
    pub(crate) async fn open(config: &Config, data: &DataDir) -> anyhow::Result<Self> {
        match config.engine.kind {
            EngineKind::Local => {
                let engine = LocalEngine::open(local(config, data)?).await;
                Ok(Self::Local(Arc::new(engine.context("cannot set up the local engine")?)))
            }
            EngineKind::Swarm => {
                let engine = SwarmEngine::open(swarm(config, data)?).await;
                Ok(Self::Swarm(Arc::new(engine.context("cannot set up the Swarm engine")?)))
            }
        }
    }

    pub(crate) fn as_engine(&self) -> Arc<dyn Engine> {
        match self {
            Self::Local(engine) => Arc::clone(engine) as _,
            Self::Swarm(engine) => Arc::clone(engine) as _,
        }
    }

    pub(crate) async fn check(&self) -> Result<(), EngineError> {
        self.as_engine().check().await
    }

    /// What operators should know.
    pub(crate) async fn warnings(&self) -> Vec<String> {
        match self {
            Self::Local(engine) => engine.warnings().to_vec(),
            Self::Swarm(engine) => engine.warnings().await,
        }
    }

    pub(crate) async fn stop_all(&self, grace: Duration) -> Result<(), EngineError> {
        match self {
            Self::Local(engine) => engine.stop_all(grace).await,
            Self::Swarm(engine) => engine.stop_all(grace).await,
        }
    }
}

/// This program, as the supervisor of an engine.
fn supervisor(command: &str) -> anyhow::Result<SupervisorProgram> {
    let program = std::env::current_exe().context("cannot find the server's own program")?;
    Ok(SupervisorProgram { program, arguments: vec![command.into()] })
}

fn local(config: &Config, data: &DataDir) -> anyhow::Result<LocalEngineConfig> {
    let mut engine = LocalEngineConfig::new(data.engine_dir(), supervisor("local-engine")?);
    engine.allow_local_git = config.git.allow_local;
    engine.read_only_paths.clone_from(&config.engine.read_only_paths);
    engine.users = Users::PerProject { first_uid: config.engine.first_uid };
    Ok(engine)
}

fn swarm(config: &Config, data: &DataDir) -> anyhow::Result<SwarmEngineConfig> {
    let (endpoint, namespace, registry) = swarm_settings(&config.swarm)?;
    let settings = &config.swarm;
    Ok(SwarmEngineConfig {
        endpoint,
        namespace,
        registry,
        base_images: BaseImages {
            node: settings.node_image.clone(),
            python: settings.python_image.clone(),
            site: settings.site_image.clone(),
            other: settings.other_image.clone(),
        },
        allow_local_git: config.git.allow_local,
        stop_grace: Duration::from_secs(config.apps.stop_grace_seconds),
        ..SwarmEngineConfig::new(data.swarm_dir(), supervisor("swarm-engine")?)
    })
}

/// What has to be read out of the texts of `[swarm]`; the error names the key.
pub(crate) fn swarm_settings(
    settings: &Swarm,
) -> anyhow::Result<(Endpoint, Namespace, Option<Registry>)> {
    let namespace = settings.namespace.parse().context("swarm.namespace")?;
    Ok((endpoint(settings)?, namespace, registry(settings)?))
}

fn endpoint(settings: &Swarm) -> anyhow::Result<Endpoint> {
    let Swarm { endpoint, tls_ca, tls_certificate, tls_key, .. } = settings;
    if let Some(path) = endpoint.strip_prefix("unix://").filter(|path| path.starts_with('/')) {
        return Ok(Endpoint::Unix(PathBuf::from(path)));
    }
    let Some(address) = endpoint.strip_prefix("tcp://").filter(|address| !address.is_empty())
    else {
        bail!("swarm.endpoint must be `unix:///PATH` or `tcp://HOST:PORT`");
    };
    let files = [("tls_ca", tls_ca), ("tls_certificate", tls_certificate), ("tls_key", tls_key)];
    for (name, file) in files {
        ensure!(
            !file.as_os_str().is_empty(),
            "swarm.{name} must name a file: whoever reaches a Docker daemon is root on its machine"
        );
    }
    Ok(Endpoint::Tls {
        address: address.to_owned(),
        ca: tls_ca.clone(),
        certificate: tls_certificate.clone(),
        key: tls_key.clone(),
    })
}

fn registry(settings: &Swarm) -> anyhow::Result<Option<Registry>> {
    let Swarm { registry, registry_username, registry_password, .. } = settings;
    ensure!(
        registry_username.is_empty() == registry_password.expose_secret().is_empty(),
        "swarm.registry_username and swarm.registry_password belong together"
    );
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".:/_-".contains(c);
    ensure!(
        registry.chars().all(is_plain) && !registry.contains("//") && !registry.ends_with('/'),
        "swarm.registry must be a host, a port and a path, such as `registry.example.com:5000/team`"
    );
    Ok((!registry.is_empty()).then(|| Registry {
        address: registry.clone(),
        username: registry_username.clone(),
        password: registry_password.clone(),
    }))
}
