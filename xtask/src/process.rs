//! Processes that a task starts, and that don't outlive it.

use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal};
use tokio::signal::unix::{SignalKind, signal};

/// How often a process is looked at that is about to end.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn interrupted() {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Does work, or drops it where it is when Ctrl-C or SIGTERM comes first.
pub(crate) async fn until_interrupted(
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    tokio::select! {
        // The work comes first, so that it may itself wait for Ctrl-C.
        biased;
        outcome = work => outcome,
        () = interrupted() => bail!("interrupted"),
    }
}

/// Runs a command to its end, with its output passed through. An interrupt is handed to it.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let shown = show(&command);
    let status = finish(command).await.with_context(|| format!("running `{shown}`"))?;
    ensure!(status.success(), "`{shown}` failed ({status})");
    Ok(())
}

/// Runs a command without showing what it prints, and returns its standard output. What it
/// complained about is in the error.
pub(crate) fn read(command: &mut Command) -> anyhow::Result<String> {
    let shown = show(command);
    let output = command.output().with_context(|| format!("running `{shown}`"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{shown}` failed ({}): {}", output.status, complaint.trim());
    String::from_utf8(output.stdout).with_context(|| format!("reading the output of `{shown}`"))
}

async fn finish(command: Command) -> anyhow::Result<ExitStatus> {
    let mut child = tokio::process::Command::from(command).spawn()?;
    tokio::select! {
        biased;
        status = child.wait() => return Ok(status?),
        () = interrupted() => {}
    }
    if let Some(pid) = child.id().and_then(pid) {
        let _ = rustix::process::kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(Duration::from_secs(20), child.wait()).await.is_err() {
        child.kill().await?;
    }
    bail!("interrupted");
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

/// A command that gets the given signal when this process dies, however that happens.
///
/// Spawn it from the main thread: the kernel watches the thread, not the process.
pub(crate) fn dies_with_us(signal: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal, "--"]).arg(program);
    command
}

/// A process that is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Guarded {
    child: Child,
    /// The polite request to end.
    signal: Signal,
    /// How long it may take after that.
    grace: Duration,
}

impl Guarded {
    /// Starts a process in a process group of its own, so that Ctrl-C reaches only us.
    pub(crate) fn spawn(
        command: &mut Command,
        signal: Signal,
        grace: Duration,
    ) -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let shown = show(command);
        let child =
            command.process_group(0).spawn().with_context(|| format!("starting `{shown}`"))?;
        Ok(Self { child, signal, grace })
    }

    /// The process.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("waiting for a process")
    }

    /// Kills the process itself without warning; its children stay.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("killing a process")?;
        self.child.wait().context("waiting for a killed process")?;
        Ok(())
    }

    /// Asks it to end, and forces it when it takes too long. Says whether it ended by itself.
    pub(crate) fn stop(&mut self) -> bool {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return true;
        }
        let pid = Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, self.signal);
        let deadline = Instant::now() + self.grace;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(PAUSE);
        }
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        let _ = self.child.wait();
        false
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A process as `/proc` shows it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Its id.
    pub(crate) pid: u32,
    /// Its command line, with spaces between the arguments.
    pub(crate) command: String,
}

/// Every process whose command line or working folder names a folder.
pub(crate) fn naming(folder: &Path) -> anyhow::Result<Vec<Seen>> {
    let folder_text = folder.to_string_lossy();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end while it is looked at.
        let bytes = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&bytes).replace('\0', " ");
        let works_there = fs::read_link(entry.path().join("cwd"))
            .is_ok_and(|working_folder| working_folder.starts_with(folder));
        if command.contains(&*folder_text) || works_there {
            found.push(Seen { pid, command: command.trim_end().to_owned() });
        }
    }
    Ok(found)
}

/// Kills processes at once, by their ids.
pub(crate) fn kill_all(processes: &[Seen]) {
    for pid in processes.iter().filter_map(|process| pid(process.pid)) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}
