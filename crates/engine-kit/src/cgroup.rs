//! Control groups, of either version: the limits and the meters of a whole process tree.

mod v1;
mod v2;

use std::{fs, io, path::Path, path::PathBuf, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::order::Limits;

/// Length of the periods in which CPU time is dealt out, in microseconds.
const PERIOD_MICROS: u64 = 100_000;

/// The folder of all groups of all engines.
const FOLDER: &str = "windlass";

/// Where groups can be made on this machine.
#[derive(Debug, Clone)]
pub struct Hierarchy {
    parent: Group,
    /// Tells this engine's groups from those of others.
    prefix: String,
}

/// One group, not necessarily made yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Group {
    /// A folder in the tree of each controller.
    V1(v1::Folders),
    /// A folder in the one tree.
    V2(PathBuf),
    /// None can be made.
    Absent,
}

impl Hierarchy {
    /// Finds out what an engine of this name can have.
    #[must_use]
    pub fn probe(name: &str) -> Self {
        let prefix = format!("{name}.");
        let v1 = || v1::probe(FOLDER).map(Group::V1);
        let parent = v2::probe(FOLDER).map(Group::V2).or_else(v1).unwrap_or(Group::Absent);
        let found = Self { parent, prefix: prefix.clone() };
        // What another user's engine has made is there, but not ours to use.
        if found.group("probe").can_be_made() {
            found
        } else {
            Self { parent: Group::Absent, prefix }
        }
    }

    /// Whether no groups can be made here.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.parent.is_absent()
    }

    /// The group of this engine that has this name.
    #[must_use]
    pub fn group(&self, name: &str) -> Group {
        let name = format!("{}{name}", self.prefix);
        match &self.parent {
            Group::V1(folders) => Group::V1(folders.join(&name)),
            Group::V2(folder) => Group::V2(folder.join(&name)),
            Group::Absent => Group::Absent,
        }
    }

    /// The names of all groups of this engine.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .parent
            .folders()
            .filter_map(|folder| fs::read_dir(folder).ok())
            .flat_map(Iterator::flatten)
            .filter_map(|entry| {
                entry.file_name().to_str()?.strip_prefix(&self.prefix).map(str::to_owned)
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Group {
    /// Whether there is none, so that limits and meters need another way.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    fn can_be_made(&self) -> bool {
        let mut can = true;
        for folder in self.folders() {
            can &= fs::create_dir(folder).is_ok();
            let _ = fs::remove_dir(folder);
        }
        can
    }

    /// Makes it, empty, with these limits.
    pub fn create(&self, limits: Limits) -> io::Result<()> {
        match self {
            Self::V1(folders) => folders.create(limits),
            Self::V2(folder) => v2::create(folder, limits),
            Self::Absent => Ok(()),
        }
    }

    /// The files into which a process writes `0` to join it.
    #[must_use]
    pub fn doors(&self) -> Vec<PathBuf> {
        self.folders().map(|folder| folder.join("cgroup.procs")).collect()
    }

    /// CPU time used so far, in microseconds.
    #[must_use]
    pub fn cpu_micros(&self) -> Option<u64> {
        match self {
            Self::V1(folders) => folders.cpu_micros(),
            Self::V2(folder) => keyed(&folder.join("cpu.stat"), "usage_usec"),
            Self::Absent => None,
        }
    }

    /// The most memory used at once, in bytes.
    #[must_use]
    pub fn peak_memory_bytes(&self) -> Option<u64> {
        match self {
            Self::V1(folders) => folders.peak_memory_bytes(),
            // Linux before 5.19 only tells what is used now.
            Self::V2(folder) => number(&folder.join("memory.peak"))
                .or_else(|| number(&folder.join("memory.current"))),
            Self::Absent => None,
        }
    }

    /// Whether the kernel has ended a process for want of memory.
    #[must_use]
    pub fn ran_out_of_memory(&self) -> bool {
        let kills = match self {
            Self::V1(folders) => folders.memory_kills(),
            Self::V2(folder) => keyed(&folder.join("memory.events"), "oom_kill"),
            Self::Absent => None,
        };
        kills.is_some_and(|kills| 0 < kills)
    }

    /// Whether all of it together has once used what it may, or all but a little: groups do not
    /// always tell that a process in one below them was ended for that.
    #[must_use]
    pub fn was_full(&self, memory_bytes: u64) -> bool {
        let most = self.peak_memory_bytes();
        most.is_some_and(|most| memory_bytes - memory_bytes / 64 <= most)
    }

    /// Whether a process could not be started because there were too many.
    #[must_use]
    pub fn ran_out_of_processes(&self) -> bool {
        let refusals = match self {
            Self::V1(folders) => folders.process_refusals(),
            Self::V2(folder) => keyed(&folder.join("pids.events"), "max"),
            Self::Absent => None,
        };
        refusals.is_some_and(|refusals| 0 < refusals)
    }

    /// Ends every process in it at once; they may take a moment to be gone.
    pub fn kill(&self) {
        match self {
            Self::V1(folders) => folders.kill(),
            Self::V2(folder) => v2::kill(folder),
            Self::Absent => {}
        }
    }

    /// How a daemon knows it that makes groups in it: the path from the root of a tree.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        match self {
            Self::V1(folders) => {
                let name = folders.all().next()?.file_name()?.to_str()?;
                Some(format!("/{FOLDER}/{name}"))
            }
            Self::V2(folder) => v2::path(folder),
            Self::Absent => None,
        }
    }

    /// Whether no process is in it or in a group below it, or it is not there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folders().flat_map(tree).all(|folder| processes(&folder).is_empty())
    }

    /// Ends what is in it and removes it.
    pub async fn remove(&self) {
        for _ in 0..500 {
            self.kill();
            let mut gone = true;
            for folder in self.folders().flat_map(tree) {
                gone &= match fs::remove_dir(folder) {
                    Ok(()) => true,
                    Err(error) => error.kind() == io::ErrorKind::NotFound,
                };
            }
            if gone {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tracing::warn!(group = ?self, "a control group cannot be removed");
    }

    fn folders(&self) -> impl Iterator<Item = &Path> {
        let (many, one) = match self {
            Self::V1(folders) => (Some(folders.all()), None),
            Self::V2(folder) => (None, Some(folder.as_path())),
            Self::Absent => (None, None),
        };
        many.into_iter().flatten().chain(one)
    }
}

/// A group and those below it, the lowest first.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(folder) = found.get(next) {
        let below = fs::read_dir(folder).into_iter().flatten().flatten();
        let below = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let below: Vec<PathBuf> = below.map(|entry| entry.path()).collect();
        found.extend(below);
        next += 1;
    }
    found.reverse();
    found
}

/// The processes in a group, as far as they can be seen from here.
fn processes(folder: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw).collect()
}

fn kill_all(folder: &Path) {
    for process in tree(folder).iter().flat_map(|folder| processes(folder)) {
        // One that has just ended by itself is as good.
        let _ = kill_process(process, Signal::KILL);
    }
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The number after a word in a file of such lines.
fn keyed(path: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// The CPU time that a number of thousandths of a CPU is in one period.
fn quota_micros(cpu_millis: u32) -> u64 {
    (u64::from(cpu_millis) * PERIOD_MICROS / 1_000).max(1_000)
}
