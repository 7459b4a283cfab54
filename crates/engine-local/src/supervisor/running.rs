//! One command of a project, running: how it is started, asked to end, and ended with all that it
//! started.

use std::{
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, ChildStderr, ChildStdout, Command},
};
use windlass_engine_kit::{
    cgroup::Group,
    order::Limits,
    process::{self, Process},
};

use crate::{
    confinement::Identity,
    launch::{Entry, Task},
    order::Place,
};

/// A command and all that came of it.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    group: Group,
    /// How many processes of the confinement stand before the command itself.
    wrappers: usize,
}

/// What is to run.
pub(super) struct Errand<'a> {
    pub(super) place: &'a Place,
    pub(super) group: &'a Group,
    pub(super) identity: Option<Identity>,
    pub(super) limits: Limits,
    /// A repository on this machine, to be read besides.
    pub(super) also_readable: Option<&'a Path>,
    pub(super) folder: PathBuf,
    pub(super) environment: Vec<(String, String)>,
    pub(super) task: Task,
}

impl Running {
    /// Starts it in its group.
    pub(super) async fn start(errand: Errand<'_>) -> io::Result<Self> {
        let Errand { place, group, identity, limits, also_readable, folder, environment, task } =
            errand;
        let max_processes = group.is_absent().then_some(u64::from(limits.processes));
        let max_file_bytes = limits.disk_bytes;
        let entry = Entry { identity, max_processes, max_file_bytes, folder, environment, task };
        let text = serde_json::to_vec(&entry)?;

        group.create(limits)?;
        let mut child = Command::new(&place.launcher.program)
            .args(&place.launcher.arguments)
            .arg("join")
            .args(group.doors())
            .arg("--")
            .args(place.confinement.wrap(place, also_readable))
            .current_dir("/")
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that has ended already says why on its standard error.
            let _ = stdin.write_all(&text).await;
        }
        let wrappers = if place.confinement.is_absent() { 0 } else { 2 };
        Ok(Self { child, group: group.clone(), wrappers })
    }

    /// Its pipes; they can be taken once.
    pub(super) fn pipes(&mut self) -> Option<(ChildStdout, ChildStderr)> {
        self.child.stdout.take().zip(self.child.stderr.take())
    }

    /// Waits until it has ended by itself; what it started may go on.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Clears away what has ended and was left to this process.
    pub(super) fn reap(&self) {
        reap(self.child.id().and_then(pid));
    }

    /// Asks it to end: whatever it started, too, and a shell only where that is all there is. A
    /// shell that died first would take the others with it before they are done.
    pub(super) fn ask_to_end(&self) {
        let Some(mut main) = self.child.id().and_then(pid) else { return };
        for _ in 0..self.wrappers {
            match process::descendants(main).into_iter().find(|child| child.parent == raw(main)) {
                Some(child) => main = child.pid,
                None => return,
            }
        }
        let started: Vec<Process> =
            process::descendants(main).into_iter().filter(|process| !process.is_dead).collect();
        for process in &started {
            process::signal(*process, Signal::TERM);
        }
        if started.is_empty() {
            let _ = kill_process(main, Signal::TERM);
        }
    }

    /// Ends it and everything that it started, and waits until all of it is gone.
    pub(super) async fn end(&mut self) {
        let mut pause = Duration::from_millis(1);
        loop {
            self.group.kill();
            let mut living = process::descendants(getpid());
            living.retain(|process| !process.is_dead);
            for process in &living {
                process::signal(*process, Signal::KILL);
            }
            // Reaps the command itself; never waits, it is dead or about to be.
            let _ = self.child.try_wait();
            reap(self.child.id().and_then(pid));
            if living.is_empty() && self.group.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        let _ = self.child.wait().await;
        reap(None);
    }
}

/// Waits for dead children that were left to this process by others, but not for `except`.
fn reap(except: Option<Pid>) {
    for child in process::descendants(getpid()) {
        if child.is_dead && child.parent == raw(getpid()) && Some(child.pid) != except {
            let _ = waitpid(Some(child.pid), WaitOptions::NOHANG);
        }
    }
}

fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

fn raw(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}
