//! Redis: a server for each environment, with the life of the environment. One that is shared could
//! not keep environments apart without the help of their apps.

mod client;
mod programs;
mod settings;

use std::{io, path::PathBuf, time::Duration};

use async_trait::async_trait;
use rustix::process::{Pid, Signal};
use secrecy::{ExposeSecret as _, SecretString};
use windlass_services::{Place, ServiceError};

pub(crate) use self::programs::installed;
use self::settings::{Access, Settings};
use crate::{
    files::{Owner, make_folder, write},
    means::Means,
    programs::command,
    secrets::{Purpose, digest},
    server::{Begin, Ending, Server},
};

/// How long it may take to start: it reads all that it has.
const START: Duration = Duration::from_secs(30);

/// It writes what it has not written yet; one that does not end by then is stuck in a script.
const STOP: Ending = Ending {
    steps: &[(Signal::TERM, Duration::from_secs(10)), (Signal::KILL, Duration::from_secs(5))],
};

/// The Redis of an environment.
#[derive(Debug)]
pub(crate) struct Redis<'a> {
    pub(crate) place: Place,
    pub(crate) means: &'a Means,
}

impl Redis<'_> {
    /// Starts it where it does not run, and tells how it is reached.
    pub(crate) async fn start(&self) -> Result<Vec<(&'static str, SecretString)>, ServiceError> {
        let failed = |error: io::Error| ServiceError::unavailable("starting Redis")(error);
        let program = installed(&self.means.config.program_folders).await?;
        let layout = &self.means.layout;
        layout.make_environment(self.place).map_err(failed)?;
        make_folder(&self.data(), Owner::servers(layout.user())).map_err(failed)?;
        let server = self.server();
        server.shorten_log();
        server.start(START, &Start { redis: self, program }).await?;
        let port = self.port().ok_or_else(|| failed(io::Error::other("it has no port")))?;
        let password = self.means.config.key.derive(Purpose::Redis, &self.place.environment);
        // Some clients take an empty name for a name.
        let url = format!("redis://default:{}@127.0.0.1:{port}", password.expose_secret());
        Ok(vec![("REDIS_URL", url.into())])
    }

    /// Whether it runs, ready or not.
    pub(crate) fn runs(&self) -> io::Result<bool> {
        self.server().runs()
    }

    /// Ends it, where it runs.
    pub(crate) async fn stop(&self) -> Result<(), ServiceError> {
        self.server().stop(STOP).await
    }

    /// Removes what is in it. It must have been stopped.
    pub(crate) async fn clear(&self) -> io::Result<()> {
        self.means.trash.take(&self.data()).await
    }

    fn server(&self) -> Server {
        Server {
            name: "Redis",
            lock: self.file("redis.lock"),
            pid_file: self.data().join("redis.pid"),
            log: self.file("redis.log"),
        }
    }

    fn data(&self) -> PathBuf {
        self.file("redis")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.means.layout.environment(self.place).join(name)
    }

    fn socket(&self, port: u16) -> PathBuf {
        self.means.layout.sockets(self.place.project).join(format!("redis.{port}"))
    }

    fn port(&self) -> Option<u16> {
        self.means.ports.of(&self.port_name())
    }

    fn port_name(&self) -> String {
        format!("{}/{}/redis", self.place.project, self.place.environment)
    }
}

/// How it is started.
struct Start<'a> {
    redis: &'a Redis<'a>,
    program: PathBuf,
}

#[async_trait]
impl Begin for Start<'_> {
    /// Chooses its port, and writes its settings and who may do what.
    fn command(&self) -> io::Result<std::process::Command> {
        let Means { config, layout, ports, .. } = self.redis.means;
        let owner = Owner::servers(layout.user());
        let (settings, access) = (self.redis.file("redis.conf"), self.redis.file("redis.acl"));
        let port = ports.choose(&self.redis.port_name())?;
        let password = |purpose| digest(&config.key.derive(purpose, &self.redis.place.environment));
        let text = Access {
            own: password(Purpose::Redis),
            administrator: password(Purpose::RedisAdministration),
        };
        write(&access, text.text().as_bytes(), owner)?;
        let server = self.redis.server();
        let text = Settings {
            port,
            socket: &self.redis.socket(port),
            folder: &self.redis.data(),
            pid_file: &server.pid_file,
            access: &access,
            memory: config.redis_memory,
        };
        write(&settings, text.text().as_bytes(), owner)?;
        let mut redis = command(&self.program, layout.user());
        redis.arg(&settings);
        Ok(redis)
    }

    /// Once it has read all that it has.
    async fn is_ready(&self, _: Pid) -> bool {
        let Some(port) = self.redis.port() else { return false };
        let Means { config, .. } = self.redis.means;
        let environment = self.redis.place.environment;
        let password = config.key.derive(Purpose::RedisAdministration, &environment);
        client::answers(&self.redis.socket(port), &password).await
    }
}
