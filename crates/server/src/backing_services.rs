//! What gives apps their databases, Redis servers and buckets.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::{Context as _, ensure};
use rustix::process::geteuid;
use windlass_domain::Entropy;
use windlass_services::{Absent, BackingServices, ServiceError};
use windlass_services_local::{LocalServices, ServiceUser, ServicesConfig};

use crate::{
    config::{Config, EngineKind, Services},
    data_dir::DataDir,
};

/// Where services are kept where the server runs as root: its data folder is closed to others.
const ROOTS_FOLDER: &str = "/var/lib/windlass-services";

/// Opens what the configuration asks for. What this machine lacks is said to those who want it.
pub(crate) async fn open(
    config: &Config,
    data: &DataDir,
    entropy: &dyn Entropy,
) -> anyhow::Result<Arc<dyn BackingServices>> {
    if config.engine.kind == EngineKind::Swarm {
        return Ok(Arc::new(Absent::new(
            "a provider of databases, Redis and buckets on Docker Swarm",
            "use servers of your own, and tell the app of them by variables such as DATABASE_URL",
        )));
    }
    let is_root = geteuid().is_root();
    if is_root && config.services.user.is_empty() {
        return Ok(Arc::new(Absent::new(
            "a user for the servers of backing services, since they are not run as root",
            "make one (useradd --system windlass-services) and set services.user to its name",
        )));
    }
    let Services { data_dir, user, redis_memory_mb } = &config.services;
    let data_dir = match data_dir {
        named if !named.as_os_str().is_empty() => named.clone(),
        _ if is_root => PathBuf::from(ROOTS_FOLDER),
        _ => data.services_dir(),
    };
    let mut services = ServicesConfig::new(data_dir, data.services_key(entropy)?);
    services.user = is_root.then(|| find_user(user)).transpose()?;
    services.redis_memory = u64::from(*redis_memory_mb) << 20;
    match LocalServices::open(services).await {
        Ok(services) => Ok(Arc::new(services)),
        Err(ServiceError::Missing { what, advice }) => {
            tracing::warn!(what, advice, "apps get no databases, Redis or buckets");
            Ok(Arc::new(Absent::new(what, advice)))
        }
        Err(err) => Err(err).context("cannot set up backing services"),
    }
}

/// Looks a user up among the accounts of this machine.
fn find_user(name: &str) -> anyhow::Result<ServiceUser> {
    let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let fields = accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))
        .with_context(|| format!("services.user: there is no user {name} in /etc/passwd"))?;
    let number = |at: usize| fields.get(at).and_then(|text| text.parse::<u32>().ok());
    let (uid, gid) = number(2)
        .zip(number(3))
        .with_context(|| format!("services.user: the entry of {name} in /etc/passwd is damaged"))?;
    ensure!(uid != 0, "services.user: {name} is root, and PostgreSQL is not run as root");
    Ok(ServiceUser { uid, gid })
}
