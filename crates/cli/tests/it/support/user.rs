//! Somebody with a home folder who runs the program.

use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rexpect::session::PtySession;
use serde_json::Value;
use tempfile::TempDir;

use super::Server;

const PROGRAM: &str = env!("CARGO_BIN_EXE_windlass");
/// How long something may take, however busy the machine is.
const PATIENCE_MS: u64 = 60_000;

/// Somebody with a home folder and nothing in it.
pub(crate) struct User {
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// How a command went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl User {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// Somebody whose environment says the server and the credential.
    pub(crate) fn of(server: &Server) -> Self {
        Self::new().with("WINDLASS_SERVER", &server.url).with("WINDLASS_TOKEN", &server.key)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a line, its words divided by spaces.
    pub(crate) fn run(&self, line: &str) -> Outcome {
        self.run_words(&words(line), None, self.home.path())
    }

    /// The same with something on standard input.
    pub(crate) fn run_with_input(&self, line: &str, input: &str) -> Outcome {
        self.run_words(&words(line), Some(input), self.home.path())
    }

    /// The same in another folder.
    pub(crate) fn run_in(&self, folder: &Path, line: &str) -> Outcome {
        self.run_words(&words(line), None, folder)
    }

    pub(crate) fn run_words(&self, words: &[&str], input: Option<&str>, folder: &Path) -> Outcome {
        let mut command = self.command(PROGRAM);
        command.args(words).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().unwrap();
        if let Some(input) = input {
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        Outcome {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a command prints as JSON; it must succeed.
    pub(crate) fn json(&self, line: &str) -> Value {
        self.json_of(&words(line))
    }

    pub(crate) fn json_of(&self, words: &[&str]) -> Value {
        let words = [words, &["--json"]].concat();
        self.run_words(&words, None, self.home.path()).succeeded().json()
    }

    /// Runs a line at a terminal that shows what is typed.
    pub(crate) fn at_terminal(&self, line: &str) -> PtySession {
        let mut command = self.command("sh");
        command.args(["-c", &format!("stty echo; exec {PROGRAM} {line}")]);
        rexpect::session::spawn_command(command, Some(PATIENCE_MS)).unwrap()
    }

    /// Runs a line at a terminal, which says how it went.
    pub(crate) fn at_prompt(&self, line: &str) -> PtySession {
        let mut command = self.command("sh");
        command.args(["-c", &format!("stty echo; {PROGRAM} {line}; echo code $?")]);
        rexpect::session::spawn_command(command, Some(PATIENCE_MS)).unwrap()
    }

    /// Somebody who has another program, which is a line of shell.
    pub(crate) fn with_program(self, name: &str, line: &str) -> Self {
        let folder = self.file("programs");
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join(name);
        fs::write(&program, format!("#!/bin/sh\n{line}\n")).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default().into_string().unwrap();
        self.with("PATH", &format!("{}:{path}", folder.display()))
    }

    /// A file in the home folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Everything that is written in the home folder, but for the file that is for credentials.
    pub(crate) fn written(&self) -> String {
        let mut folders = vec![self.home.path().to_owned()];
        let mut text = String::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("credentials.toml") {
                    text.push_str(&fs::read_to_string(path).unwrap());
                }
            }
        }
        text
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("TERM", "xterm").env("HOME", self.home.path());
        command.envs(self.variables.iter().cloned()).current_dir(self.home.path());
        command
    }
}

impl Outcome {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn failed_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|err| panic!("{err}: {self:?}"))
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}
