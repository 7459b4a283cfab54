//! Repositories of tests.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;
use windlass_domain::{CommitId, GitUrl};

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with `main`.
pub(crate) struct Repository(pub(crate) TempDir);

impl Repository {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
        Self(folder)
    }

    pub(crate) fn commit(&self, file: &str, text: &str) -> CommitId {
        fs::write(self.0.path().join(file), text).unwrap();
        git(self.0.path(), &["add", "."]);
        git(self.0.path(), &["commit", "--quiet", "-m", text]);
        git(self.0.path(), &["rev-parse", "HEAD"]).parse().unwrap()
    }

    pub(crate) fn url(&self) -> GitUrl {
        self.0.path().to_str().unwrap().parse().unwrap()
    }
}
