//! The Docker daemon: how it is reached, and what its errors mean.

use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bollard::{API_DEFAULT_VERSION, Docker, errors::Error};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use windlass_domain::BuildResult;
use windlass_engine::EngineError;
use windlass_engine_kit::{faults::internal, log::Log, record::Failure};

/// How long the daemon may take to begin an answer.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// How often is said that it cannot be reached.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// Where the daemon of a manager of the swarm listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Endpoint {
    /// On a socket of this machine.
    Unix(PathBuf),
    /// On another machine; both sides show certificates.
    Tls {
        /// Host and port.
        address: String,
        /// The authority that the daemon's certificate is of, besides the system's.
        ca: PathBuf,
        /// Our certificate.
        certificate: PathBuf,
        /// Our key.
        key: PathBuf,
    },
}

impl Endpoint {
    /// Whether the daemon is on this machine.
    pub(crate) fn is_here(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Begins to talk, in the newest version that both sides know.
    pub(crate) async fn connect(&self, patience: Duration) -> Result<Docker, Error> {
        let version = API_DEFAULT_VERSION;
        let seconds = patience.as_secs();
        let docker = match self {
            Self::Unix(socket) => Docker::connect_with_unix(path(socket)?, seconds, version)?,
            Self::Tls { address, ca, certificate, key } => {
                // The client would go on without those that it cannot read.
                for file in [ca, certificate, key] {
                    File::open(file).map_err(|_| Error::CertPathError { path: file.clone() })?;
                }
                Docker::connect_with_ssl(address, key, certificate, ca, seconds, version)?
            }
        };
        docker.negotiate_version().await
    }
}

fn path(socket: &Path) -> Result<&str, Error> {
    socket.to_str().ok_or_else(|| Error::SocketNotFoundError(socket.display().to_string()))
}

/// The daemon, once it was there.
pub(crate) struct Daemon {
    endpoint: Endpoint,
    docker: OnceCell<Docker>,
}

impl Daemon {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, docker: OnceCell::new() }
    }

    /// The way to it. One that was not there is looked for again.
    pub(crate) async fn docker(&self) -> Result<&Docker, EngineError> {
        let connect = || self.endpoint.connect(PATIENCE);
        self.docker.get_or_try_init(connect).await.map_err(daemon_error("reaching the daemon"))
    }
}

impl fmt::Debug for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Daemon").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Tells a daemon that is not there from one that fails.
pub(crate) fn daemon_error(context: &str) -> impl FnOnce(Error) -> EngineError {
    let context = format!("Docker: {context}");
    move |error| {
        if is_absent(&error) {
            tell(&error);
            let text = "the Docker daemon of this server cannot be reached; its operator finds \
                        the cause in the server's log";
            EngineError::Unavailable(text.to_owned())
        } else if status(&error) == Some(503) {
            EngineError::Unavailable(NO_MANAGER.to_owned())
        } else {
            internal(&context)(error)
        }
    }
}

/// Says why it cannot be reached, now and then: it is asked for every few seconds.
fn tell(error: &Error) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| TELL_EVERY <= last.elapsed()) {
        *last = Some(Instant::now());
        tracing::warn!(%error, "Docker cannot be reached");
    }
}

/// What Docker answers with status 503 to whatever only managers can do.
pub(crate) const NO_MANAGER: &str = "the Docker daemon of this server is not a manager of a swarm; `docker swarm init` on its \
     machine makes it one";

/// Whether nobody has answered, or could be asked.
fn is_absent(error: &Error) -> bool {
    matches!(
        error,
        Error::SocketNotFoundError(_)
            | Error::RequestTimeoutError
            | Error::HyperLegacyError { .. }
            | Error::HyperResponseError { .. }
            | Error::IOError { .. }
            | Error::CertPathError { .. }
            | Error::CertParseError { .. }
            | Error::CertMultipleKeys { .. }
    )
}

/// What the daemon has answered with.
pub(crate) fn status(error: &Error) -> Option<u16> {
    if let Error::DockerResponseServerError { status_code, .. } = error {
        Some(*status_code)
    } else {
        None
    }
}

/// What an error means for a build or a task that has not got anything yet. The error is ours.
pub(crate) fn failure(error: Error, log: &Log) -> io::Result<Failure> {
    if let Error::DockerResponseServerError { status_code: 400..500, message } = &error {
        return Ok(Failure::of(BuildResult::ClientError, message.clone()));
    }
    if status(&error).is_none() {
        log.say(&format!("Docker cannot go on: {error}"));
    }
    match daemon_error("doing what was ordered")(error) {
        EngineError::Unavailable(message) | EngineError::Refused(message) => {
            Ok(Failure { result: None, message })
        }
        EngineError::Internal { source, .. } => Err(io::Error::other(source)),
    }
}

/// What was asked for, if it is there.
pub(crate) fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The version of its API that is spoken with a daemon.
pub(crate) fn speaks(docker: &Docker) -> (usize, usize) {
    let version = docker.client_version();
    (version.major_version, version.minor_version)
}

/// Refuses a daemon that is older than this version of the API.
pub(crate) fn is_recent(docker: &Docker, oldest: (usize, usize)) -> Result<(), EngineError> {
    if oldest <= speaks(docker) {
        return Ok(());
    }
    let (major, minor) = speaks(docker);
    let (oldest_major, oldest_minor) = oldest;
    Err(EngineError::Unavailable(format!(
        "the Docker daemon is too old: it speaks version {major}.{minor} of the API, and \
         {oldest_major}.{oldest_minor} (Docker 20.10) is needed"
    )))
}
