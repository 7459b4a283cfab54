//! What a process tree has used.

use std::time::Instant;

use crate::{cgroup::Group, process, record::Measurement};

/// Measures the time from its making on, and all else once it is told what.
#[derive(Debug)]
pub struct Meter {
    group: Option<Group>,
    since: Instant,
    /// What earlier children had used, where the group does not tell.
    base_micros: u64,
    measured: Measurement,
}

impl Meter {
    /// Counts from this moment on.
    #[must_use]
    pub fn new(since: Instant) -> Self {
        Self { group: None, since, base_micros: 0, measured: Measurement::default() }
    }

    /// Measures this group, and the processes that are started from now on.
    pub fn begin(&mut self, group: Group) {
        self.group = Some(group);
        self.base_micros = waited_micros();
    }

    /// What was used so far; never less than it said before.
    pub fn read(&mut self) -> Measurement {
        let measured = &mut self.measured;
        measured.wall_millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(group) = &self.group {
            let (cpu, memory) = match (group.cpu_micros(), group.peak_memory_bytes()) {
                (Some(cpu), Some(memory)) => (cpu, memory),
                (cpu, memory) => {
                    let (seen_cpu, seen_memory) = look(self.base_micros);
                    (cpu.unwrap_or(seen_cpu), memory.unwrap_or(seen_memory))
                }
            };
            measured.cpu_micros = measured.cpu_micros.max(cpu);
            measured.peak_memory_bytes = measured.peak_memory_bytes.max(memory);
        }
        *measured
    }

    /// What was used in all, once nothing runs any more: exact, where looking at processes one
    /// after another was not.
    pub fn finish(&mut self) -> Measurement {
        let mut measured = self.read();
        if self.group.as_ref().is_some_and(|group| group.cpu_micros().is_none()) {
            measured.cpu_micros = waited_micros().saturating_sub(self.base_micros);
        }
        measured
    }
}

/// Adds up what the processes themselves show: those that live, and those waited for.
fn look(base_micros: u64) -> (u64, u64) {
    let living = process::descendants(rustix::process::getpid());
    let cpu: u64 = living.iter().map(|process| process.cpu_micros).sum();
    let memory = living.iter().map(|process| process.memory_bytes).sum();
    (cpu + waited_micros().saturating_sub(base_micros), memory)
}

/// CPU time of all children that have ended.
fn waited_micros() -> u64 {
    process::this().map_or(0, |this| this.waited_micros)
}
