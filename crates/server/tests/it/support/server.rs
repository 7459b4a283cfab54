//! A server process of a test's own.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};
use windlass_storage_seaorm::test_util::{TestStore, fresh_empty_store};

use super::Api;

/// How long a server may take to start or to stop, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server process with a data folder and a database of its own. Its apps end with it.
pub(crate) struct TestServer {
    /// A client with the owner's key.
    pub(crate) api: Api,
    /// Where apps answer, such as `127.0.0.1:41234`.
    pub(crate) ingress: String,
    data: TempDir,
    database: Database,
    settings: Vec<(String, String)>,
    process: Option<Child>,
}

/// Where a server keeps its rows.
enum Database {
    /// In one that is gone with the test.
    Own(Box<TestStore>),
    /// In one that the test looks after.
    Given(String),
}

impl Database {
    fn url(&self) -> &str {
        match self {
            Self::Own(store) => store.options().url.expose_secret(),
            Self::Given(url) => url,
        }
    }
}

impl TestServer {
    /// Starts one.
    pub(crate) async fn start(test: &str) -> Self {
        Self::start_with(test, &[]).await
    }

    /// Starts one with settings of its own, such as `("BUILDS__DISK_MB", "16")`.
    pub(crate) async fn start_with(test: &str, settings: &[(&str, &str)]) -> Self {
        let store = fresh_empty_store(test).await;
        Self::new(Database::Own(Box::new(store)), settings).await
    }

    /// Starts one on a database that the test looks after.
    pub(crate) async fn start_on(url: &str) -> Self {
        Self::new(Database::Given(url.to_owned()), &[]).await
    }

    async fn new(database: Database, settings: &[(&str, &str)]) -> Self {
        // Not in `/tmp`: that is hidden from builds anyway.
        let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let settings =
            settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut server = Self {
            api: Api::new("http://127.0.0.1:1", ""),
            ingress: String::new(),
            data,
            database,
            settings,
            process: None,
        };
        server.start_process().await;
        server
    }

    /// The data folder.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// Runs an errand that goes well, and returns what it says.
    pub(crate) async fn administer(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments).stdin(Stdio::null()).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// The server's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().and_then(Child::id).unwrap()
    }

    /// An operator's errand on the server's database.
    pub(crate) fn admin(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass-server"));
        command.arg("admin").args(arguments).arg("--data-dir").arg(self.data_dir());
        command.args(["--database-url", self.database.url()]);
        for (key, value) in &self.settings {
            command.env(format!("WINDLASS_{key}"), value);
        }
        command
    }

    /// Everything that the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.data.path().join("server.log")).unwrap_or_default()
    }

    /// Kills the server as an accident would.
    pub(crate) async fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().await.unwrap();
    }

    /// The same, and starts it again on the same folder.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.kill().await;
        self.start_process().await;
    }

    /// Asks the server to stop, as an operator would, and waits until it has.
    pub(crate) async fn stop(&mut self) -> std::process::ExitStatus {
        let mut process = self.process.take().unwrap();
        signal(&process, Signal::TERM);
        timeout(PATIENCE, process.wait()).await.expect("the server stops").unwrap()
    }

    /// Starts it again after [`Self::stop`] or [`Self::kill`].
    pub(crate) async fn start_again(&mut self) {
        self.start_process().await;
    }

    /// Starts the server again after it was killed or has stopped.
    pub(crate) async fn start_process(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.data.path().join("server.log"))
            .unwrap();
        // It ends with the test, and its apps with it, even where that is killed.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM", "--", env!("CARGO_BIN_EXE_windlass-server")])
            .args(["serve", "--allow-local-git", "--stop-apps"])
            .args(["--listen", "127.0.0.1:0", "--ingress-listen", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(self.data_dir())
            .args(["--database-url", self.database.url()])
            .env("WINDLASS_KEYS__BCRYPT_COST", "4")
            .env("WINDLASS_LIMITS__PER_CREDENTIAL", "0")
            .env("WINDLASS_LIMITS__PER_ADDRESS", "0")
            .env("WINDLASS_TEST_SECRET", "of-the-server")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        for (key, value) in &self.settings {
            command.env(format!("WINDLASS_{key}"), value);
        }
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("the server starts").unwrap();
        let Some(line) = line else { panic!("the server did not start:\n{}", self.log()) };
        let base = line.strip_prefix("listening on ").expect("the one line").to_owned();
        let addresses = fs::read_to_string(self.data_dir().join("server.json")).unwrap();
        let addresses: serde_json::Value = serde_json::from_str(&addresses).unwrap();
        let ingress = addresses["ingress"].as_str().unwrap();
        self.ingress = ingress.trim_start_matches("http://").into();
        let key = fs::read_to_string(self.data_dir().join("owner.key")).unwrap();
        self.api = Api::new(&base, key.trim());
        self.process = Some(process);
    }
}

fn signal(process: &Child, signal: Signal) {
    let pid = process.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    // One that has ended by itself needs none.
    let _ = kill_process(pid.unwrap(), signal);
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            signal(process, Signal::TERM);
            for _ in 0..600 {
                if process.try_wait().is_ok_and(|ended| ended.is_some()) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}
