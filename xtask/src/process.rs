//! Processes that a task starts, and that don't outlive it.

use std::{
    error::Error,
    ffi::OsStr,
    fmt, fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal};
use tokio::signal::unix::{SignalKind, signal};

/// How often a process is looked at that is about to end.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a command may take to end when it is interrupted.
const GRACE: Duration = Duration::from_secs(20);

/// Ctrl-C or SIGTERM, from the moment on at which this was made.
pub(crate) struct Interrupt {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

/// Why work was dropped where it was.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl Error for Interrupted {}

impl Interrupt {
    /// From now on, Ctrl-C and SIGTERM do not end us.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("listening for signals");
        let (interrupt, terminate) =
            (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate })
    }

    /// Waits for it.
    pub(crate) async fn came(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Does work, or drops it where it is when this comes first.
    pub(crate) async fn or<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = self.came() => Err(Interrupted.into()),
        }
    }
}

/// Does work, or drops it where it is when Ctrl-C or SIGTERM comes first.
pub(crate) async fn until_interrupted(
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    Interrupt::listen()?.or(work).await
}

/// Runs a command to its end, with its output passed through. An interrupt is handed to it.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let shown = show(&command);
    let status = finish(command).await.with_context(|| format!("running `{shown}`"))?;
    ensure!(status.success(), "`{shown}` failed ({status})");
    Ok(())
}

/// Runs a command without showing what it prints, and returns its standard output. What it
/// complained about is in the error. It is over in a moment, so an interrupt is not handed to it.
pub(crate) fn read(command: &mut Command) -> anyhow::Result<String> {
    let shown = show(command);
    let output = command.process_group(0).output().with_context(|| format!("running `{shown}`"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{shown}` failed ({}): {}", output.status, complaint.trim());
    String::from_utf8(output.stdout).with_context(|| format!("reading the output of `{shown}`"))
}

async fn finish(command: Command) -> anyhow::Result<ExitStatus> {
    let mut interrupt = Interrupt::listen()?;
    let mut command = Awaited(tokio::process::Command::from(command).spawn()?);
    interrupt.or(async { Ok(command.0.wait().await?) }).await
}

/// A command that is ended when it is no longer waited for.
struct Awaited(tokio::process::Child);

impl Drop for Awaited {
    fn drop(&mut self) {
        let Some(pid) = self.0.id().and_then(pid) else { return };
        if !ends(pid, Signal::TERM, GRACE, || !matches!(self.0.try_wait(), Ok(None))) {
            let _ = self.0.start_kill();
        }
    }
}

/// Asks a process to end, and says whether it did in time.
fn ends(pid: Pid, signal: Signal, grace: Duration, mut has_ended: impl FnMut() -> bool) -> bool {
    let _ = rustix::process::kill_process(pid, signal);
    let deadline = Instant::now() + grace;
    while Instant::now() < deadline {
        if has_ended() {
            return true;
        }
        thread::sleep(PAUSE);
    }
    false
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
        if ends(pid, self.signal, self.grace, || !matches!(self.child.try_wait(), Ok(None))) {
            return true;
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
