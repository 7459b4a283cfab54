//! A server process of a test's own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A server process with a data folder of its own. Its apps end with it.
pub(crate) struct Server {
    /// The API's address.
    pub(crate) url: String,
    /// The owner's key.
    pub(crate) key: String,
    process: Child,
    data: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        // Not in `/tmp`: that is hidden from builds anyway.
        let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let folder = data.path().join("data");
        let log = fs::File::create(data.path().join("server.log")).unwrap();
        let mut process = Command::new(program())
            .args(["serve", "--allow-local-git", "--stop-apps"])
            .args(["--listen", "127.0.0.1:0", "--ingress-listen", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(&folder)
            .env("WINDLASS_KEYS__BCRYPT_COST", "4")
            .env("WINDLASS_LIMITS__PER_CREDENTIAL", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = || fs::read_to_string(data.path().join("server.log")).unwrap();
        let url = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{}", said()));
        let url = url.trim().to_owned();
        let key = fs::read_to_string(folder.join("owner.key")).unwrap().trim().to_owned();
        Self { url, key, process, data }
    }

    /// The link with which somebody makes the owner's account theirs.
    pub(crate) fn set_up_link(&self) -> String {
        let log = fs::read_to_string(self.data.path().join("server.log")).unwrap();
        let line = log.lines().find(|line| line.contains("/setup?token=")).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    }
}

/// Where cargo has built the server: beside the program that is tested.
fn program() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_windlass")).parent().unwrap();
    let program = folder.join("windlass-server");
    assert!(program.is_file(), "there is no server yet: cargo build --package windlass-server");
    program
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.process.id().cast_signed()).unwrap();
        // One that has ended by itself needs none.
        let _ = kill_process(pid, Signal::TERM);
        for _ in 0..600 {
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
    }
}
