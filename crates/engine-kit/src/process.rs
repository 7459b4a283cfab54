//! Processes: as `/proc` shows them, and how they ended.

use std::{fs, os::unix::process::ExitStatusExt as _, process::ExitStatus};

use rustix::process::{Pid, Signal, kill_process};

/// What is known of a process.
#[derive(Debug, Clone, Copy)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// The number of its parent.
    pub parent: i32,
    /// Whether it waits for its parent to take notice of its end.
    pub is_dead: bool,
    /// CPU time, its own and that of children it has waited for, in microseconds.
    pub cpu_micros: u64,
    /// CPU time of children that it has waited for, in microseconds.
    pub waited_micros: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
}

/// One process; `None` when it is gone.
#[must_use]
pub fn find(pid: Pid) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?)
}

/// This process.
#[must_use]
pub fn this() -> Option<Process> {
    find(rustix::process::getpid())
}

/// All that descend from a process, whoever started them: children of the dead go to the
/// supervisor, which asked for that.
#[must_use]
pub fn descendants(of: Pid) -> Vec<Process> {
    let mut rest: Vec<Process> = all();
    let mut found = Vec::new();
    let mut parents = vec![of.as_raw_nonzero().get()];
    while let Some(parent) = parents.pop() {
        let (children, others) =
            rest.into_iter().partition::<Vec<_>, _>(|process| process.parent == parent);
        parents.extend(children.iter().map(|child| child.pid.as_raw_nonzero().get()));
        found.extend(children);
        rest = others;
    }
    found
}

/// Sends a signal; a process that has just ended does not mind.
pub fn signal(process: Process, signal: Signal) {
    let _ = kill_process(process.pid, signal);
}

/// How a command ended, for people. Shells and the confinement turn signals into numbers above 128.
#[must_use]
pub fn describe(status: ExitStatus) -> String {
    let signal = status.signal().or(status.code().map(|code| code - 128).filter(|it| 0 < *it));
    match (signal, status.code()) {
        (Some(signal), _) => {
            let name = match signal {
                6 => " (SIGABRT)",
                9 => " (SIGKILL)",
                11 => " (SIGSEGV)",
                15 => " (SIGTERM)",
                25 => " (SIGXFSZ: a file became too large)",
                _ => "",
            };
            format!("it was ended by signal {signal}{name}")
        }
        (None, Some(127)) => "exit status 127 (a command was not found)".to_owned(),
        (None, code) => format!("exit status {}", code.unwrap_or(-1)),
    }
}

fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter_map(find)
        .collect()
}

/// Reads a line of `/proc/PID/stat` (proc(5)). The name may contain anything, so fields are
/// counted from its closing bracket.
fn parse(stat: &str) -> Option<Process> {
    let (head, tail) = stat.rsplit_once(") ")?;
    let pid = Pid::from_raw(head.split(' ').next()?.parse().ok()?)?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<i64>().ok();
    let count = |number: usize| Some(u64::try_from(field(number)?).unwrap_or(0));
    let micros = |ticks: u64| ticks * 1_000_000 / rustix::param::clock_ticks_per_second().max(1);
    let waited_micros = micros(count(16)? + count(17)?);
    Some(Process {
        pid,
        parent: i32::try_from(field(4)?).ok()?,
        is_dead: matches!(fields.first(), Some(&"Z" | &"X")),
        cpu_micros: micros(count(14)? + count(15)?) + waited_micros,
        waited_micros,
        memory_bytes: count(24)? * rustix::param::page_size() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_confuse() {
        let line = "42 (a) R (b) S 7 42 42 0 -1 0 1 0 0 0 150 50 10 20 20 0 1 0 999 4096 25 0 0";
        let process = parse(line).unwrap();
        assert_eq!((process.parent, process.is_dead), (7, false));
        assert_eq!(process.cpu_micros - process.waited_micros, 2_000_000);
    }
}
