//! What an operator decides about the Swarm engine.

use std::{fmt, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use windlass_engine_kit::supervise::SupervisorProgram;

use crate::{daemon::Endpoint, names::Namespace};

/// How the Swarm engine is set up.
#[derive(Debug, Clone)]
pub struct SwarmEngineConfig {
    /// Where it keeps the lines of builds, tasks and apps; made if missing. One server at a time.
    pub folder: PathBuf,
    /// The program that supervises builds and tasks.
    pub supervisor: SupervisorProgram,
    /// Where the daemon of a manager of the swarm listens.
    pub endpoint: Endpoint,
    /// Tells this installation's services, networks and images from those of others.
    pub namespace: Namespace,
    /// Where images are put, so that other nodes can get them.
    pub registry: Option<Registry>,
    /// What apps without a Dockerfile are built on.
    pub base_images: BaseImages,
    /// Whether repositories on this machine may be built.
    pub allow_local_git: bool,
    /// Variables for git alone, such as those that name a proxy.
    pub git_environment: Vec<(String, String)>,
    /// How long an app may take to end by itself, where the swarm ends it.
    pub stop_grace: Duration,
}

/// A registry of images.
#[derive(Clone, Serialize, Deserialize)]
pub struct Registry {
    /// Where images are put: host, port and path, such as `registry.example.com:5000/team`.
    pub address: String,
    /// As whom; empty for nobody.
    pub username: String,
    /// With which password.
    #[serde(serialize_with = "expose")]
    pub password: SecretString,
}

/// For orders, which go over a pipe.
fn expose<S: serde::Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What apps without a Dockerfile are built on: images with a shell, `mkdir` and `chown`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseImages {
    /// With Node.js and npm.
    pub node: String,
    /// With Python.
    pub python: String,
    /// With the `httpd` of busybox.
    pub site: String,
    /// For everything else.
    pub other: String,
}

impl SwarmEngineConfig {
    /// The usual set-up.
    #[must_use]
    pub fn new(folder: PathBuf, supervisor: SupervisorProgram) -> Self {
        Self {
            folder,
            supervisor,
            endpoint: Endpoint::Unix("/var/run/docker.sock".into()),
            namespace: Namespace::default(),
            registry: None,
            base_images: BaseImages::default(),
            allow_local_git: false,
            git_environment: Vec::new(),
            stop_grace: Duration::from_secs(10),
        }
    }
}

impl Default for BaseImages {
    fn default() -> Self {
        Self {
            node: "node:24-slim".to_owned(),
            python: "python:3.14-slim".to_owned(),
            site: "busybox:stable".to_owned(),
            other: "debian:stable-slim".to_owned(),
        }
    }
}
