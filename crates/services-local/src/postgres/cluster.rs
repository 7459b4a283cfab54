//! A project's server: made, started, stopped.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use rustix::process::{Pid, Signal};
use secrecy::{ExposeSecret as _, SecretString};
use windlass_domain::ProjectId;
use windlass_services::ServiceError;

use super::{
    Installed, installed,
    programs::version_of,
    settings::{ACCESS, ADMINISTRATOR, Settings},
};
use crate::{
    files::{Owner, make_folder, write},
    means::Means,
    programs::{Errand, command},
    secrets::Purpose,
    server::{Begin, Ending, Server, remove_if_there},
};

/// How long making a cluster may take, and starting it: it may have to recover from a crash.
const MAKE: Duration = Duration::from_mins(1);
const START: Duration = Duration::from_secs(30);
const ADMINISTER: Duration = Duration::from_mins(1);

/// First without its clients, then without waiting for what is to be written, then without asking.
const STOP: Ending = Ending {
    steps: &[
        (Signal::INT, Duration::from_secs(30)),
        (Signal::QUIT, Duration::from_secs(5)),
        (Signal::KILL, Duration::from_secs(5)),
    ],
};

/// The PostgreSQL of a project.
#[derive(Debug)]
pub(crate) struct Cluster<'a> {
    pub(crate) project: ProjectId,
    pub(crate) means: &'a Means,
}

impl Cluster<'_> {
    /// Makes it where there is none, starts it where it does not run, and returns its port.
    pub(crate) async fn start(&self) -> Result<u16, ServiceError> {
        self.make().await?;
        let server = self.server();
        server.shorten_log();
        let programs = self.programs().await?;
        server.start(START, &Start { cluster: self, programs: &programs }).await?;
        self.port().ok_or_else(|| ServiceError::unavailable("looking for PostgreSQL")("no port"))
    }

    /// Whether it runs, ready or not.
    pub(crate) fn runs(&self) -> io::Result<bool> {
        self.server().runs()
    }

    /// Ends it, where it runs.
    pub(crate) async fn stop(&self) -> Result<(), ServiceError> {
        self.server().stop(STOP).await
    }

    /// Removes it with all that is in it. It must have been stopped.
    pub(crate) async fn remove(&self) -> io::Result<()> {
        self.means.trash.take(&self.data()).await?;
        self.means.ports.release(&self.port_name())
    }

    /// Does something as its administrator.
    pub(crate) async fn administer(&self, statements: &SecretString) -> Result<(), ServiceError> {
        let programs = self.programs().await?;
        let password = self.means.config.key.derive(Purpose::PostgresAdministration, &self.project);
        let mut psql = command(&programs.program("psql"), self.means.layout.user());
        psql.args(["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]);
        psql.env("PGDATABASE", "postgres").env("PGUSER", ADMINISTRATOR);
        psql.env("PGPASSWORD", password.expose_secret());
        psql.envs(self.socket());
        let input = statements.expose_secret().as_bytes();
        let purpose = "administering PostgreSQL";
        Errand { purpose, limit: ADMINISTER, input }.run(psql).await.map(drop)
    }

    /// The variables by which clients find it without TCP.
    pub(crate) fn socket(&self) -> [(&'static str, String); 2] {
        let port = self.port().unwrap_or_default().to_string();
        let folder = self.means.layout.sockets(self.project).to_string_lossy().into_owned();
        [("PGHOST", folder), ("PGPORT", port)]
    }

    /// The programs that fit its data.
    pub(crate) async fn programs(&self) -> Result<Installed, ServiceError> {
        installed(&self.means.config.program_folders, version_of(&self.data())).await
    }

    /// Makes it in a folder that gets its name once it is complete.
    async fn make(&self) -> Result<(), ServiceError> {
        let failed = |error: io::Error| ServiceError::unavailable("making a cluster")(error);
        let data = self.data();
        if data.exists() {
            return Ok(());
        }
        let programs = self.programs().await?;
        let owner = Owner::servers(self.means.layout.user());
        let (next, secret) = (self.file("postgres.next"), self.file("postgres.secret"));
        self.means.trash.take(&next).await.map_err(failed)?;
        make_folder(&next, owner).map_err(failed)?;
        let password = self.means.config.key.derive(Purpose::PostgresAdministration, &self.project);
        write(&secret, password.expose_secret().as_bytes(), owner).map_err(failed)?;

        let mut initdb = command(&programs.program("initdb"), self.means.layout.user());
        initdb.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]);
        initdb.args(["--data-checksums", "--username", ADMINISTRATOR, "--pwfile"]).arg(&secret);
        initdb.arg("--pgdata").arg(&next);
        let errand = Errand { purpose: "making a PostgreSQL cluster", limit: MAKE, input: b"" };
        errand.run(initdb).await?;
        remove_if_there(&secret).map_err(failed)?;
        fs::rename(next, data).map_err(failed)
    }

    /// Where it listens, as its own file says.
    fn port(&self) -> Option<u16> {
        fs::read_to_string(self.server().pid_file).ok()?.lines().nth(3)?.trim().parse().ok()
    }

    fn server(&self) -> Server {
        Server {
            name: "PostgreSQL",
            lock: self.file("postgres.lock"),
            pid_file: self.data().join("postmaster.pid"),
            log: self.file("postgres.log"),
        }
    }

    fn data(&self) -> PathBuf {
        self.file("postgres")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.means.layout.project(self.project).join(name)
    }

    fn port_name(&self) -> String {
        format!("{}/postgres", self.project)
    }
}

/// How it is started.
struct Start<'a> {
    cluster: &'a Cluster<'a>,
    programs: &'a Installed,
}

#[async_trait]
impl Begin for Start<'_> {
    /// Chooses its port and writes its settings.
    fn command(&self) -> io::Result<std::process::Command> {
        let Self { cluster, programs } = self;
        let user = cluster.means.layout.user();
        let sockets = cluster.means.layout.sockets(cluster.project);
        let (settings, access) = (cluster.file("postgres.conf"), cluster.file("postgres.access"));
        let port = cluster.means.ports.choose(&cluster.port_name())?;
        write(&access, ACCESS.as_bytes(), Owner::servers(user))?;
        let text = Settings { port, sockets: &sockets, access: &access }.text();
        write(&settings, text.as_bytes(), Owner::servers(user))?;
        // What was left by one that was killed names a process that may be somebody else by now.
        remove_sockets(&sockets)?;
        let mut config = OsString::from("config_file=");
        config.push(&settings);
        let mut postgres = command(&programs.program("postgres"), user);
        postgres.arg("-D").arg(cluster.data()).arg("-c").arg(config);
        Ok(postgres)
    }

    /// As its own file says.
    async fn is_ready(&self, _: Pid) -> bool {
        let text = fs::read_to_string(self.cluster.server().pid_file).unwrap_or_default();
        text.lines().nth(7).is_some_and(|status| status.trim() == "ready")
    }
}

fn remove_sockets(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(".s.PGSQL.") {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}
