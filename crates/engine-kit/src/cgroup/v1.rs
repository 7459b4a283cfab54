//! Version 1: each controller has a tree of its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{PERIOD_MICROS, keyed, kill_all, number, quota_micros};
use crate::order::Limits;

/// One folder in the tree of each controller; some trees are shared by several.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Folders {
    accounting: PathBuf,
    memory: PathBuf,
    pids: PathBuf,
    cpu: Option<PathBuf>,
    freezer: Option<PathBuf>,
}

/// Makes a folder for all groups, where the controllers that matter are mounted and writable.
pub(super) fn probe(name: &str) -> Option<Folders> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let find = |controller| mount_of(&mounts, controller).map(|mount| mount.join(name));
    let folders = Folders {
        accounting: find("cpuacct")?,
        memory: find("memory")?,
        pids: find("pids")?,
        cpu: find("cpu"),
        freezer: find("freezer"),
    };
    for folder in folders.all() {
        make(folder).ok()?;
    }
    // Long the kernel's only way, but old ones want it said before there are groups below.
    let _ = fs::write(folders.memory.join("memory.use_hierarchy"), "1");
    Some(folders)
}

/// Where the tree of a controller is mounted, from lines such as
/// `30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct`.
fn mount_of(mounts: &str, controller: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let is_v1 = kind.next()? == "cgroup";
        let has_it = kind.nth(1)?.split(',').any(|option| option == controller);
        let path = mount.split(' ').nth(4)?;
        (is_v1 && has_it).then(|| PathBuf::from(path))
    })
}

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

impl Folders {
    pub(super) fn all(&self) -> impl Iterator<Item = &Path> {
        let Self { accounting, memory, pids, cpu, freezer } = self;
        [Some(accounting), Some(memory), Some(pids), cpu.as_ref(), freezer.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    }

    pub(super) fn join(&self, name: &str) -> Self {
        Self {
            accounting: self.accounting.join(name),
            memory: self.memory.join(name),
            pids: self.pids.join(name),
            cpu: self.cpu.as_ref().map(|folder| folder.join(name)),
            freezer: self.freezer.as_ref().map(|folder| folder.join(name)),
        }
    }

    pub(super) fn create(&self, limits: Limits) -> io::Result<()> {
        for folder in self.all() {
            make(folder)?;
        }
        let bytes = limits.memory_bytes.to_string();
        fs::write(self.memory.join("memory.limit_in_bytes"), &bytes)?;
        // Without this file the kernel does not count swap, and there is nothing to limit.
        let _ = fs::write(self.memory.join("memory.memsw.limit_in_bytes"), &bytes);
        fs::write(self.pids.join("pids.max"), limits.processes.to_string())?;
        if let Some(cpu) = &self.cpu {
            fs::write(cpu.join("cpu.cfs_period_us"), PERIOD_MICROS.to_string())?;
            fs::write(cpu.join("cpu.cfs_quota_us"), quota_micros(limits.cpu_millis).to_string())?;
        }
        Ok(())
    }

    pub(super) fn cpu_micros(&self) -> Option<u64> {
        number(&self.accounting.join("cpuacct.usage")).map(|nanos| nanos / 1_000)
    }

    pub(super) fn peak_memory_bytes(&self) -> Option<u64> {
        number(&self.memory.join("memory.max_usage_in_bytes"))
    }

    pub(super) fn memory_kills(&self) -> Option<u64> {
        keyed(&self.memory.join("memory.oom_control"), "oom_kill")
    }

    pub(super) fn process_refusals(&self) -> Option<u64> {
        keyed(&self.pids.join("pids.events"), "max")
    }

    /// Frozen processes can't start others while they are ended one by one.
    pub(super) fn kill(&self) {
        self.freeze("FROZEN");
        for folder in self.all() {
            kill_all(folder);
        }
        self.freeze("THAWED");
    }

    fn freeze(&self, state: &str) {
        if let Some(freezer) = &self.freezer {
            let _ = fs::write(freezer.join("freezer.state"), state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::mount_of;

    #[test]
    fn controllers_that_share_a_tree_are_found() {
        let mounts = "\
            24 1 0:22 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
            30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
            31 24 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n";
        let shared = Some(PathBuf::from("/sys/fs/cgroup/cpu,cpuacct"));
        assert_eq!(mount_of(mounts, "cpu"), shared);
        assert_eq!(mount_of(mounts, "cpuacct"), shared);
        assert_eq!(mount_of(mounts, "memory"), None);
    }
}
