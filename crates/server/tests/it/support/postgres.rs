//! A PostgreSQL server of a test's own, to be stopped and started.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

/// A PostgreSQL server that listens on a socket in its own folder.
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    is_root: bool,
}

impl Postgres {
    /// Makes and starts one.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let is_root = rustix::process::geteuid().is_root();
        let server = Self { folder, programs: programs(), is_root };
        if is_root {
            // The server refuses root; the folder is for whoever it runs as.
            let user = server.folder.path().display().to_string();
            assert!(Command::new("chown").args(["postgres", &user]).status().unwrap().success());
        }
        server.run("initdb", &["-D", "data", "-U", "windlass", "-A", "trust", "-N"]);
        server.up();
        server
    }

    /// Starts it.
    pub(crate) fn up(&self) {
        let socket = self.folder.path().display().to_string();
        let options = format!("-c listen_addresses= -c unix_socket_directories={socket}");
        self.run("pg_ctl", &["-D", "data", "-w", "-l", "log", "-o", &options, "start"]);
    }

    /// Stops it at once, with every connection to it.
    pub(crate) fn down(&self) {
        self.run("pg_ctl", &["-D", "data", "-w", "-m", "immediate", "stop"]);
    }

    /// The address of its database.
    pub(crate) fn url(&self) -> String {
        let socket = self.folder.path().display();
        format!("postgres:///postgres?host={socket}&user=windlass")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if self.is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        let log = fs::File::create(self.folder.path().join("last-command.log")).unwrap();
        let status = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
        let said = || fs::read_to_string(self.folder.path().join("last-command.log")).unwrap();
        assert!(status.success(), "{}", said());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.folder.path().join("data/postmaster.pid").exists() {
            self.down();
        }
    }
}

/// Where the newest version's programs are.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let numbers = versions.filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers.max().expect("PostgreSQL is installed");
    PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"))
}
