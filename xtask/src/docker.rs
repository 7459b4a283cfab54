//! A Docker of our own, the manager of a swarm of one node, for as long as it is held.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    process::{self, Guarded},
    tools,
};

/// What apps of tests are built on: no registry is needed for it.
const BASE_IMAGE: &str = "windlass-test/base:1";

/// How long a daemon may take to begin, and to end its containers.
const PATIENCE: Duration = Duration::from_mins(1);

/// A daemon that listens on a socket in its folder alone. Dropping it stops it and removes its
/// folder; it stops when we are killed, too.
#[derive(Debug)]
pub(crate) struct Docker {
    // Fields are dropped in this order: first the daemon, then its files.
    daemon: Guarded,
    folder: TempDir,
}

impl Docker {
    /// Starts a daemon, makes a swarm and an image with a shell. Only root can.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "Docker's daemon needs root: run this as root, or add `--without docker`"
        );
        let dockerd = tools::expect(tools::DOCKER)?;
        let folder = tempfile::Builder::new()
            .prefix("windlass-docker-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir()
            .context("making a folder for Docker")?;
        let log = fs::File::create(folder.path().join("log"))?;
        // SIGTERM: end all containers, then leave.
        let mut command = process::dies_with_us("TERM", dockerd);
        command
            .arg(format!("--host={}", url(folder.path())))
            .arg(format!("--data-root={}", folder.path().join("data").display()))
            .arg(format!("--exec-root={}", folder.path().join("exec").display()))
            .arg(format!("--pidfile={}", folder.path().join("pid").display()))
            // A file with the machine's own settings is none of this daemon's.
            .arg(format!("--config-file={}", no_settings(folder.path())?.display()))
            .args(["--no-new-privileges", "--log-level=warn"])
            // Its helpers are where ordinary users do not look.
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let daemon = Guarded::spawn(&mut command, Signal::TERM, PATIENCE)?;
        let mut docker = Self { daemon, folder };
        docker.wait_until_ready().await?;
        // Everything on loopback: other machines are not asked to join.
        let address = "127.0.0.1";
        docker.client(&["swarm", "init", "--advertise-addr", address, "--listen-addr", address])?;
        docker.make_base_image()?;
        Ok(docker)
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        url(self.folder.path())
    }

    fn client(&self, arguments: &[&str]) -> anyhow::Result<String> {
        process::read(&mut self.client_command(arguments)?)
    }

    fn client_command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(tools::expect(tools::DOCKER_CLIENT)?);
        command.env_clear().args(["--host", &self.url()]).args(arguments);
        Ok(command)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.daemon.ended()? {
                bail!("Docker ended at once ({status}):\n{}", log(self.folder.path()));
            }
            // The socket is there before the daemon answers.
            if self.client(&["version"]).is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("Docker was not ready in time:\n{}", log(self.folder.path()));
    }

    /// Busybox, under the names of all that it can do.
    fn make_base_image(&self) -> anyhow::Result<()> {
        let busybox = tools::expect(tools::BUSYBOX)?;
        let root = self.folder.path().join("base");
        for name in ["bin", "etc", "tmp", "home"] {
            fs::create_dir_all(root.join(name))?;
        }
        fs::set_permissions(root.join("tmp"), Permissions::from_mode(0o1777))?;
        fs::copy(&busybox, root.join("bin/busybox"))?;
        for name in process::read(Command::new(&busybox).arg("--list"))?.lines() {
            if name != "busybox" {
                symlink("busybox", root.join("bin").join(name))?;
            }
        }
        fs::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\n")?;
        let archive = self.folder.path().join("base.tar");
        let mut pack = Command::new("tar");
        process::read(pack.arg("-C").arg(&root).arg("-cf").arg(&archive).arg("."))?;
        let archive = archive.display().to_string();
        let path = "ENV PATH=/bin";
        self.client(&["import", "--change", path, &archive, BASE_IMAGE])?;
        Ok(())
    }
}

fn url(folder: &Path) -> String {
    format!("unix://{}", folder.join("socket").display())
}

fn no_settings(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("settings.json");
    fs::write(&path, "{}")?;
    Ok(path)
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}
