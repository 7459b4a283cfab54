//! Runs a task as people do.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Lines},
    os::unix::fs::PermissionsExt as _,
    process::{Child, ChildStdout, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Runs `cargo xtask` with these arguments and returns what it showed; a failure fails the test.
pub(crate) fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output();
    let output = output.expect("the task can be started");
    let shown = String::from_utf8(output.stdout).expect("tasks print UTF-8");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}\n{complaints}");
    shown
}

/// A task at work, with a folder of its own for temporary files.
pub(crate) struct Running {
    task: Child,
    shown: Lines<BufReader<ChildStdout>>,
    folder: TempDir,
}

impl Running {
    /// Starts `cargo xtask` with these arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        // Builds run as an ordinary user and have to pass through.
        let permissions = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(permissions).tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(arguments).env("TMPDIR", folder.path()).stdout(Stdio::piped());
        let mut task = command.spawn().expect("the task can be started");
        let shown = BufReader::new(task.stdout.take().unwrap()).lines();
        Self { task, shown, folder }
    }

    /// Waits until it shows a line with this text.
    pub(crate) fn show_until(&mut self, text: &str) {
        let is_there = self.shown.any(|line| line.unwrap().contains(text));
        assert!(is_there, "{text:?} was never shown");
    }

    /// Does to it what Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        kill_process(Pid::from_child(&self.task), Signal::INT).unwrap();
    }

    /// Waits for its end; its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.shown.by_ref().for_each(drop);
        self.task.wait().unwrap().code()
    }

    /// Asserts that neither files nor processes of it are left.
    pub(crate) fn assert_gone(&self) {
        let files: Vec<_> = fs::read_dir(self.folder.path()).unwrap().flatten().collect();
        assert!(files.is_empty(), "{files:?}");
        let folder = self.folder.path().display().to_string();
        let processes = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let command = fs::read(entry.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&command).replace('\0', " "))
        });
        let left: Vec<_> = processes.filter(|command| command.contains(&folder)).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Asserts that a text has these parts, in this order.
pub(crate) fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is missing after:\n{text}"));
        rest = &rest[at + part.len()..];
    }
}
