//! A PostgreSQL server of a test's own, to be stopped and started.

use std::{
    fs,
    os::unix::{fs::chown, net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long it may take to start, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

/// A PostgreSQL server that listens on a socket in its own folder. It ends with the test, even
/// where that is killed.
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    server: Option<Child>,
}

impl Postgres {
    /// Makes and starts one.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some((user, group)) = account() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut postgres = Self { folder, programs: programs(), server: None };
        let mut initdb = postgres.command("initdb");
        initdb
            .args(["-U", "windlass", "-A", "trust", "-N", "-E", "UTF8", "-D"])
            .arg(postgres.data());
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        postgres.up();
        postgres
    }

    /// Starts it.
    pub(crate) fn up(&mut self) {
        let log = fs::File::create(self.log()).unwrap();
        let mut start = self.command("postgres");
        start.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        start.args(["-c", "listen_addresses="]);
        start.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let server = self.server.insert(start.spawn().unwrap());
        let socket = self.folder.path().join(".s.PGSQL.5432");
        let (log, deadline) = (self.folder.path().join("log"), Instant::now() + PATIENCE);
        let said = || fs::read_to_string(&log).unwrap();
        // Its log tells; a connection may be taken before it can be served.
        while !said().contains("ready to accept") || UnixStream::connect(&socket).is_err() {
            assert!(server.try_wait().unwrap().is_none(), "it ended at once: {}", said());
            assert!(Instant::now() < deadline, "it does not start: {}", said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it at once, with every connection to it.
    pub(crate) fn down(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        // One that has ended by itself needs none.
        let _ = kill_process(Pid::from_child(&server), Signal::QUIT);
        server.wait().unwrap();
    }

    /// The address of its database.
    pub(crate) fn url(&self) -> String {
        let socket = self.folder.path().display();
        format!("postgres:///postgres?host={socket}&user=windlass")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// One of its programs, run as somebody whom it accepts.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        if let Some((user, group)) = account() {
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
            command.arg("--clear-groups");
        }
        command.args(["--pdeathsig", "QUIT", "--"]).arg(self.programs.join(program));
        // An ordinary user may not enter our working folder, and our locale may not be installed.
        command.current_dir("/").env("LC_ALL", "C.UTF-8").env_remove("PGDATA");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.down();
    }
}

/// Who runs it where we are root, whom it refuses.
fn account() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    let account = accounts.lines().find_map(|line| line.strip_prefix("postgres:"));
    let mut fields = account.expect("PostgreSQL's own account").split(':').skip(1);
    let mut number = || fields.next()?.parse().ok();
    number().zip(number())
}

/// Where the newest version's programs are.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let numbers = versions.filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers.max().expect("PostgreSQL is installed");
    Path::new("/usr/lib/postgresql").join(newest.to_string()).join("bin")
}
