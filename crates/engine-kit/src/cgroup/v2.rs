//! Version 2: one tree, whose controllers are handed down level by level.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{PERIOD_MICROS, kill_all, quota_micros};
use crate::order::Limits;

const ROOT: &str = "/sys/fs/cgroup";
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// Makes a folder for all groups: below the root where that is ours, else below the group that
/// was delegated to the server.
pub(super) fn probe(name: &str) -> Option<PathBuf> {
    let root = Path::new(ROOT);
    has_controllers(root).then_some(())?;
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    [root.to_owned(), root.join(own)].into_iter().find_map(|parent| below(&parent, name).ok())
}

fn below(parent: &Path, name: &str) -> io::Result<PathBuf> {
    let folder = parent.join(name);
    make(&folder)?;
    if hand_down(parent).is_err() {
        // A group that hands down controllers may have no processes of its own, so this one
        // makes room.
        let leaf = parent.join("windlass-server");
        make(&leaf)?;
        fs::write(leaf.join("cgroup.procs"), "0")?;
        hand_down(parent)?;
    }
    hand_down(&folder)?;
    Ok(folder)
}

fn hand_down(folder: &Path) -> io::Result<()> {
    let wanted = CONTROLLERS.map(|controller| format!("+{controller}")).join(" ");
    fs::write(folder.join("cgroup.subtree_control"), wanted)
}

fn has_controllers(folder: &Path) -> bool {
    let there = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    let there: Vec<&str> = there.split_whitespace().collect();
    CONTROLLERS.iter().all(|controller| there.contains(controller))
}

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

pub(super) fn create(folder: &Path, limits: Limits) -> io::Result<()> {
    make(folder)?;
    let quota = quota_micros(limits.cpu_millis);
    fs::write(folder.join("cpu.max"), format!("{quota} {PERIOD_MICROS}"))?;
    fs::write(folder.join("memory.max"), limits.memory_bytes.to_string())?;
    // Without this file there is no swap.
    let _ = fs::write(folder.join("memory.swap.max"), "0");
    fs::write(folder.join("pids.max"), limits.processes.to_string())
}

pub(super) fn path(folder: &Path) -> Option<String> {
    Some(format!("/{}", folder.strip_prefix(ROOT).ok()?.to_str()?))
}

/// Before Linux 5.14 they are ended one by one; the caller repeats until none is left.
pub(super) fn kill(folder: &Path) {
    if fs::write(folder.join("cgroup.kill"), "1").is_err() {
        kill_all(folder);
    }
}
