//! The last steps before a command of a project runs, in two small stages of the supervisor's
//! program: [`join`] enters the control group, outside; [`enter`] gives up every privilege, inside
//! the confinement.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use rustix::{
    fs::Mode,
    process::{Gid, Resource, Rlimit, Signal, Uid, umask},
    thread,
};
use serde::{Deserialize, Serialize};

use crate::{
    confinement::Identity,
    prepare::{PrepareOrder, prepare},
    serve::serve,
};

/// What [`enter`] is told, over its standard input: arguments and environments could be read by
/// others.
#[derive(Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) identity: Option<Identity>,
    /// Only where no control group counts them.
    pub(crate) max_processes: Option<u64>,
    pub(crate) max_file_bytes: Option<u64>,
    pub(crate) folder: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) task: Task,
}

/// What is run.
#[derive(Serialize, Deserialize)]
pub(crate) enum Task {
    /// A command of the project.
    Shell(String),
    /// Fetching the source and finding out how it is built.
    Prepare(Box<PrepareOrder>),
    /// Serving files on a port.
    Serve { folders: Vec<String>, port: u16 },
}

/// Enters control groups by the doors before `--`, then becomes the command after it.
pub(crate) fn join(arguments: impl Iterator<Item = OsString>) -> io::Result<()> {
    let mut arguments = arguments;
    // The supervisor's own files are closed to everyone; what the confinement makes must not be.
    umask(Mode::from_raw_mode(0o022));
    for door in arguments.by_ref().take_while(|argument| argument != "--") {
        fs::write(PathBuf::from(door), "0")?;
    }
    let program = arguments.next().ok_or_else(|| io::Error::other("no program is named"))?;
    Err(Command::new(program).args(arguments).exec())
}

/// Gives up every privilege and runs what it is told.
pub(crate) fn enter() -> io::Result<()> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    let entry: Entry = serde_json::from_slice(&text)?;
    drop(text);

    umask(Mode::from_raw_mode(0o022));
    limit(Resource::Core, Some(0))?;
    limit(Resource::Nofile, Some(65_536))?;
    limit(Resource::Fsize, entry.max_file_bytes)?;
    if let Some(identity) = entry.identity {
        become_user(identity)?;
    }
    // After the user has changed: its limit on processes is counted for the user.
    limit(Resource::Nproc, entry.max_processes)?;
    thread::set_no_new_privs(true)?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;

    let Entry { folder, environment, task, .. } = entry;
    match task {
        Task::Shell(command) => Err(Command::new("/bin/sh")
            .args(["-c", &command])
            .env_clear()
            .envs(environment)
            .current_dir(folder)
            .stdin(Stdio::null())
            .exec()),
        Task::Prepare(order) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let prepared = runtime.block_on(prepare(&order, &folder));
            io::stdout().write_all(&serde_json::to_vec(&prepared)?)
        }
        Task::Serve { folders, port } => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(serve(&folder, &folders, port))
        }
    }
}

/// One thread is all there is, so what is set for it is set for the process.
fn become_user(Identity { uid, gid }: Identity) -> io::Result<()> {
    thread::set_thread_groups(&[])?;
    let gid = Gid::from_raw(gid);
    thread::set_thread_res_gid(gid, gid, gid)?;
    let uid = Uid::from_raw(uid);
    thread::set_thread_res_uid(uid, uid, uid)?;
    Ok(())
}

/// Lowers a limit, as far as it is not lower already.
fn limit(resource: Resource, wanted: Option<u64>) -> io::Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let hard = rustix::process::getrlimit(resource).maximum;
    let value = Some(hard.map_or(wanted, |hard| hard.min(wanted)));
    rustix::process::setrlimit(resource, Rlimit { current: value, maximum: value })?;
    Ok(())
}
