//! A Windlass server: building it, starting it, stopping it.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};
use rustix::process::Signal;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    client::Client,
    process::{self, Guarded},
    terminal, workspace,
};

/// Which database it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    /// A file in its data folder.
    Sqlite,
    /// A cluster that is started for it.
    Postgres,
}

/// Which binary is run.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Binary {
    /// Run this server instead of building one.
    #[arg(long = "server", value_name = "PATH", env = "WINDLASS_SERVER_BINARY", hide = true)]
    path: Option<PathBuf>,
}

impl Binary {
    /// One that is there already.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path: Some(path) }
    }

    /// The given one, or one built for development.
    pub(crate) async fn debug(&self) -> anyhow::Result<PathBuf> {
        self.build(&[], "debug").await
    }

    /// The given one, or one built for release.
    pub(crate) async fn release(&self) -> anyhow::Result<PathBuf> {
        self.build(&["--release"], "release").await
    }

    /// The given one, or one built for release with a second door that asks for no credential.
    pub(crate) async fn release_with_open_door(&self) -> anyhow::Result<PathBuf> {
        let built = self.build(&["--release", "--features", "bench"], "release").await?;
        // It must not lie where somebody looks for a server to run.
        let aside = workspace::target()?.join("bench/open-door");
        fs::create_dir_all(aside.parent().unwrap_or(&aside))?;
        fs::rename(&built, &aside).context("putting the server aside")?;
        Ok(aside)
    }

    async fn build(&self, flags: &[&str], folder: &str) -> anyhow::Result<PathBuf> {
        if let Some(path) = &self.path {
            ensure!(path.is_file(), "there is no server at {}", path.display());
            return Ok(path.clone());
        }
        let mut build = Command::new("cargo");
        build.args(["build", "--quiet", "--package", "windlass-server"]).args(flags);
        build.current_dir(workspace::root());
        process::run(build).await?;
        Ok(workspace::target()?.join(folder).join("windlass-server"))
    }
}

/// How to start a server.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    binary: PathBuf,
    data: PathBuf,
    listen: String,
    ingress_listen: String,
    database_url: Option<String>,
}

/// What a server says of itself when it is ready.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Addresses {
    /// Base URL of the API.
    pub(crate) api: String,
    /// Base URL of the ingress.
    pub(crate) ingress: String,
}

/// A running server. Dropping it stops it and its apps.
#[derive(Debug)]
pub(crate) struct Server {
    process: Guarded,
    addresses: Addresses,
}

/// A temporary folder for a server and what it works on. Dropping it ends whatever still runs in
/// it.
#[derive(Debug)]
pub(crate) struct Playground {
    folder: TempDir,
}

impl Launch {
    /// A server on free ports.
    pub(crate) fn new(binary: PathBuf, data: PathBuf, database_url: Option<String>) -> Self {
        let free = "127.0.0.1:0".to_owned();
        Self { binary, data, listen: free.clone(), ingress_listen: free, database_url }
    }

    /// The same server, where it was.
    pub(crate) fn at(&self, addresses: &Addresses) -> Self {
        let authority = |url: &str| url.trim_start_matches("http://").to_owned();
        let listen = authority(&addresses.api);
        let ingress_listen = authority(&addresses.ingress);
        Self { listen, ingress_listen, ..self.clone() }
    }

    /// Starts it and does not wait for it.
    pub(crate) fn spawn(&self) -> anyhow::Result<Guarded> {
        fs::create_dir_all(&self.data).context("making the data folder")?;
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log())?;
        // It ends with us, and its apps with it, even when we are killed.
        let mut command = process::dies_with_us("TERM", &self.binary);
        command.arg("serve").arg("--data-dir").arg(&self.data);
        command.args(["--listen", &self.listen, "--ingress-listen", &self.ingress_listen]);
        command.args(["--allow-local-git", "--stop-apps"]);
        // What is measured here, or driven to its end, is not how soon somebody has asked enough.
        for limit in ["WINDLASS_LIMITS__PER_CREDENTIAL", "WINDLASS_LIMITS__PER_ADDRESS"] {
            command.env(limit, "0");
        }
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        Guarded::spawn(&mut command, Signal::TERM, Duration::from_secs(30))
    }

    /// Starts it and waits until it serves.
    pub(crate) async fn start(&self) -> anyhow::Result<Server> {
        let mut process = self.spawn()?;
        match self.wait_until_ready(&mut process).await {
            Ok(addresses) => Ok(Server { process, addresses }),
            Err(error) => {
                process.stop();
                Err(error
                    .context(format!("starting the server; its log ends so:\n{}", self.tail())))
            }
        }
    }

    /// Waits for the line that says it is ready.
    async fn wait_until_ready(&self, process: &mut Guarded) -> anyhow::Result<Addresses> {
        let output = process.child().stdout.take().context("its output is not ours")?;
        let (sender, receiver) = oneshot::channel();
        // A thread, because it reads on to the end: a server must not find its output closed.
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            let _ = sender.send(lines.next());
            lines.for_each(drop);
        });
        let line = timeout(Duration::from_mins(1), receiver)
            .await
            .context("it was not ready in 60 s")??
            .context("it ended before it was ready")?;
        let announced = line.strip_prefix("listening on ");
        let announced = announced.with_context(|| format!("it printed {line:?}"))?;
        let path = self.data.join("server.json");
        let text = fs::read_to_string(&path).context("reading server.json")?;
        let addresses: Addresses = serde_json::from_str(&text).context("reading server.json")?;
        ensure!(announced == addresses.api, "it announced {announced}, but server.json differs");
        Ok(addresses)
    }

    /// Where its log is.
    pub(crate) fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    fn tail(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }

    /// Where the owner's key is.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.data.join("owner.key")
    }

    /// A client with the owner's key.
    pub(crate) fn client(&self, addresses: &Addresses) -> anyhow::Result<Client> {
        let key = fs::read_to_string(self.key_file()).context("reading the owner's key")?;
        Client::new(&addresses.api, key.trim())
    }
}

impl Server {
    /// Where it listens.
    pub(crate) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.process.kill()
    }

    /// SIGTERM, and its apps with it.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        if self.process.stop() {
            return Ok(());
        }
        bail!("the server did not stop in 30 s after SIGTERM");
    }
}

impl Playground {
    /// An empty folder.
    pub(crate) fn new() -> anyhow::Result<Self> {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
        let folder = tempfile::Builder::new()
            .prefix("windlass-")
            // Builds run as an ordinary user and have to pass through.
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .context("making a temporary folder")?;
        Ok(Self { folder })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The server's data folder in it.
    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Fails when anything still runs in it.
    pub(crate) async fn ensure_quiet(&self) -> anyhow::Result<()> {
        let mut left = process::naming(self.path())?;
        for _ in 0..50 {
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            left = process::naming(self.path())?;
        }
        let left: Vec<String> =
            left.iter().map(|seen| format!("{} {}", seen.pid, seen.command)).collect();
        bail!("processes are left over:\n{}", left.join("\n"));
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        let left = process::naming(self.path()).unwrap_or_default();
        if !left.is_empty() {
            terminal::complain(&format!("had to kill {} left-over processes", left.len()));
            process::kill_all(&left);
        }
    }
}
