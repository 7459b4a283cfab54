//! How a supervisor begins: the server's side of it, and its own.

use std::{
    ffi::OsString,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use rustix::{fs::Mode, process};
use serde::de::DeserializeOwned;
use tokio::{io::AsyncWriteExt as _, process::Command, time::Instant};
use windlass_engine::EngineError;

use crate::{
    claim::Claim,
    faults::internal,
    files::{REPORT, STATE},
    watch::Watcher,
};

/// How long a supervisor may take to begin.
const BEGIN: Duration = Duration::from_secs(20);

/// A program that does nothing but call an engine's `supervisor_main` with the arguments that
/// follow its own.
#[derive(Debug, Clone)]
pub struct SupervisorProgram {
    /// Its path.
    pub program: PathBuf,
    /// The arguments that make it a supervisor.
    pub arguments: Vec<OsString>,
}

/// Starts supervisors.
#[derive(Debug, Clone)]
pub struct Supervisors {
    /// What is started.
    pub program: SupervisorProgram,
    /// Sees that they have begun.
    pub names: Arc<Watcher>,
}

impl Supervisors {
    /// Starts one for a folder and returns once it has begun. The order goes over a pipe: it holds
    /// the project's secrets, so it never touches a disk.
    pub async fn start(&self, folder: &Path, order: &[u8]) -> Result<(), EngineError> {
        let failed = || internal("starting a supervisor");
        let mut child = Command::new(&self.program.program)
            .args(&self.program.arguments)
            .arg("supervise")
            .arg(folder)
            .current_dir("/")
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed())?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(order).await.map_err(failed())?;
        }
        // Reaped whenever it ends; that is all a child needs from its parent here.
        let mut ended = tokio::spawn(async move { child.wait().await });
        let mut wake = self.names.watch(folder);
        let deadline = Instant::now() + BEGIN;
        while !folder.join(STATE).exists() {
            tokio::select! {
                status = &mut ended => {
                    let text = format!("it ended at once: {status:?}");
                    return Err(failed()(io::Error::other(text)));
                }
                () = wake.wait(Duration::from_millis(100)) => {}
            }
            if deadline < Instant::now() {
                return Err(failed()(io::Error::other("it does not begin")));
            }
        }
        Ok(())
    }
}

/// What a supervisor does with its folder: reads its order, makes itself independent of the
/// server, and works for as long as it holds the folder's lock.
///
/// Call it before threads are started.
pub fn supervise<O, F>(folder: &Path, work: impl FnOnce(O) -> F) -> io::Result<()>
where
    O: DeserializeOwned,
    F: Future<Output = io::Result<()>>,
{
    // A server that was killed in the middle of its order has given none.
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    let order: O = serde_json::from_slice(&text)?;
    drop(text);

    // Fails where it leads a session already, which is as good.
    let _ = process::setsid();
    process::umask(Mode::from_raw_mode(0o077));
    process::set_child_subreaper(Some(process::getpid()))?;
    let claim = Claim::take(folder)?;
    if folder.join(REPORT).exists() || folder.join(STATE).exists() {
        return Ok(()); // Somebody else has done it.
    }
    // One thread starts every command: they end when it does.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(work(order));
    drop(claim);
    done
}
