//! A PostgreSQL of our own, in a temporary folder, for as long as it is held.

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{net::UnixStream, time::Instant};

use crate::{
    process::{self, Guarded},
    tools,
};

/// Its only account; a superuser.
const USER: &str = "windlass";

/// Free bytes that are enough for the databases of all tests that run at once.
const ENOUGH: u64 = 4 << 30;

/// A running cluster that listens on a socket in its folder alone. Dropping it stops it and removes
/// its folder; it stops when we are killed, too.
#[derive(Debug)]
pub(crate) struct Cluster {
    // Fields are dropped in this order: first the server, then its files.
    server: Guarded,
    folder: TempDir,
}

/// Who runs the cluster: PostgreSQL refuses root.
struct Account {
    user: u32,
    group: u32,
}

impl Cluster {
    /// Makes and starts a cluster. It trades durability for speed.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let initdb = tools::expect(tools::POSTGRES)?;
        let postgres = initdb.canonicalize()?.with_file_name("postgres");
        let account = ordinary_account()?;
        let folder = tempfile::Builder::new()
            .prefix("windlass-postgres-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(roomiest())
            .context("making a folder for PostgreSQL")?;
        if let Some(Account { user, group }) = account {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group))?;
        }
        let data = folder.path().join("data");

        let mut make = command(&initdb, account.as_ref());
        make.args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--username", USER, "--pgdata"])
            .arg(&data);
        process::read(&mut make)?;

        let mut start = command(&postgres, account.as_ref());
        start.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-N", "300"]);
        for setting in
            ["listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        {
            start.args(["-c", setting]);
        }
        let log = fs::File::create(folder.path().join("log"))?;
        start.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // SIGINT: close connections, then shut down.
        let server = Guarded::spawn(&mut start, Signal::INT, Duration::from_secs(20))?;
        let mut cluster = Self { server, folder };
        cluster.wait_until_ready().await?;
        Ok(cluster)
    }

    /// The database that every cluster has.
    pub(crate) fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user={USER}", self.folder.path().display())
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let socket = self.folder.path().join(".s.PGSQL.5432");
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if let Some(status) = self.server.ended()? {
                bail!("PostgreSQL ended at once ({status}):\n{}", log(self.folder.path()));
            }
            // Its log tells; a connection may be taken before it can be served.
            let says_so = log(self.folder.path()).contains("ready to accept connections");
            if says_so && UnixStream::connect(&socket).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("PostgreSQL was not ready in time:\n{}", log(self.folder.path()));
    }
}

/// In memory where there is room: each test has a database of some hundred files, and file systems
/// on disks take longer to make and remove them than PostgreSQL needs for all the rest.
fn roomiest() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let free = rustix::fs::statvfs(memory).map(|it| it.f_bavail.saturating_mul(it.f_frsize));
    if free.is_ok_and(|free| ENOUGH <= free) { memory.to_owned() } else { env::temp_dir() }
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

fn command(program: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(Account { user, group }) = account {
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
        command.arg("--clear-groups");
    }
    command.args(["--pdeathsig", "INT", "--"]).arg(program);
    // An ordinary user may not enter our working folder, and our locale may not be installed.
    command.current_dir("/").env("LC_ALL", "C.UTF-8").env_remove("PGDATA");
    command
}

/// An account that is not root, where we are; Debian's own for PostgreSQL if there is one.
fn ordinary_account() -> anyhow::Result<Option<Account>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
    let found = ["postgres", "nobody"].iter().find_map(|name| account(&accounts, name));
    ensure!(found.is_some(), "PostgreSQL refuses root, and there is no other account to run it");
    Ok(found)
}

fn account(accounts: &str, name: &str) -> Option<Account> {
    let mut fields = accounts
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?
        .skip(1);
    Some(Account { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
}
