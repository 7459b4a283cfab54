//! A server that outlives us: started once, found again, ended.
//!
//! Its standard input is a file with a lock that it and its children hold for as long as they live.
//! That is how we know whether it runs: process ids are reused, a lock is not.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};
use windlass_services::ServiceError;

use crate::programs::last_lines_of;

/// How often is looked whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How often it is begun when it ends at once.
const ATTEMPTS: u32 = 3;

/// More of a log is not kept.
const LOG_BYTES: u64 = 1024 * 1024;

/// A server, running or not.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// What it is, for errors: `PostgreSQL`.
    pub(crate) name: &'static str,
    /// The file whose lock it holds.
    pub(crate) lock: PathBuf,
    /// The file whose first line is its process id, written by itself.
    pub(crate) pid_file: PathBuf,
    /// What it prints.
    pub(crate) log: PathBuf,
}

/// How a server is begun.
#[async_trait]
pub(crate) trait Begin: Send + Sync {
    /// What is to be run, after it has made ready what that needs.
    fn command(&self) -> io::Result<std::process::Command>;

    /// Whether this process of it can be used already.
    async fn is_ready(&self, process: Pid) -> bool;
}

/// How a server is ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    /// What it is asked with, and how long it may take.
    pub(crate) steps: &'static [(Signal, Duration)],
}

impl Server {
    /// Whether it runs, ready or not.
    pub(crate) fn runs(&self) -> io::Result<bool> {
        let file = match File::open(&self.lock) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        match file.try_lock_shared() {
            // At once, also if a process that is being started has a copy of this file.
            Ok(()) => file.unlock().map(|()| false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Its process, once it has written its id.
    pub(crate) fn process(&self) -> Option<Pid> {
        let text = fs::read_to_string(&self.pid_file).ok()?;
        let pid: i32 = text.lines().next()?.trim().parse().ok()?;
        // The id may be an old one, which belongs to somebody else by now.
        let input = fs::read_link(format!("/proc/{pid}/fd/0")).ok()?;
        (input == self.lock).then(|| Pid::from_raw(pid)).flatten()
    }

    /// Starts it unless it runs, and waits until it is ready.
    pub(crate) async fn start(
        &self,
        limit: Duration,
        begin: &impl Begin,
    ) -> Result<(), ServiceError> {
        let failed =
            |text: String| ServiceError::unavailable(format!("starting {}", self.name))(text);
        let deadline = Instant::now() + limit;
        let mut child: Option<Child> = None;
        let mut attempts = 0;
        loop {
            if let Some(process) = self.process()
                && begin.is_ready(process).await
            {
                return Ok(());
            }
            if !self.runs().map_err(|error| failed(error.to_string()))? {
                // Somebody may have taken its port in this moment.
                if ATTEMPTS <= attempts {
                    let status = child.as_mut().and_then(|child| child.try_wait().ok().flatten());
                    let status = status.map(|status| status.to_string()).unwrap_or_default();
                    let said = last_lines_of(&self.log);
                    return Err(failed(format!("it ends at once: {status}: {said}")));
                }
                attempts += 1;
                let started = begin.command().and_then(|command| self.spawn(command));
                child = Some(started.map_err(|error| failed(error.to_string()))?);
            }
            if deadline < Instant::now() {
                let (limit, said) = (limit.as_secs(), last_lines_of(&self.log));
                return Err(failed(format!("it is not ready after {limit} s: {said}")));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Ends it and waits until it has.
    pub(crate) async fn stop(&self, ending: Ending) -> Result<(), ServiceError> {
        let failed = |source: io::Error| {
            ServiceError::unavailable(format!("stopping {}", self.name))(source)
        };
        for (signal, patience) in ending.steps {
            let mut asked = false;
            let deadline = Instant::now() + *patience;
            while Instant::now() < deadline {
                if !self.runs().map_err(failed)? {
                    return Ok(());
                }
                // One that has only just been started has not written its id yet.
                if !asked && let Some(process) = self.process() {
                    // It may end by itself in this moment.
                    let _ = kill_process(process, *signal);
                    asked = true;
                }
                sleep(LOOK_EVERY).await;
            }
        }
        Err(failed(io::Error::other("it does not end")))
    }

    /// Keeps its log from growing without end.
    pub(crate) fn shorten_log(&self) {
        let is_long = fs::metadata(&self.log).is_ok_and(|it| LOG_BYTES < it.len());
        if is_long && let Err(error) = self.open_log() {
            tracing::warn!(%error, log = %self.log.display(), "a log cannot be shortened");
        }
    }

    fn spawn(&self, mut command: std::process::Command) -> io::Result<Child> {
        let log = self.open_log()?;
        open(&self.lock, OpenOptions::new().append(true))?;
        let lock = File::open(&self.lock)?;
        lock.try_lock()?;
        remove_if_there(&self.pid_file)?;
        command.stdin(lock).stdout(log.try_clone()?).stderr(Stdio::from(log));
        // What the terminal or a supervisor of ours sends to us is not for it.
        command.process_group(0);
        Command::from(command).spawn()
    }

    /// Empty, whatever was in it. It is appended to, so that it can be emptied at any time.
    fn open_log(&self) -> io::Result<File> {
        let log = open(&self.log, OpenOptions::new().append(true))?;
        log.set_len(0)?;
        Ok(log)
    }
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.create(true).mode(0o600).open(path)
}

pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
