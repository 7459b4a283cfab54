//! Repositories that tasks push to.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use crate::{process, workspace};

/// A repository with a work tree.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    path: PathBuf,
}

impl Repository {
    /// A new repository with the files of a folder of `examples`, committed to `main`.
    pub(crate) fn of_example(name: &str, path: PathBuf) -> anyhow::Result<Self> {
        let repository = Self::empty(path)?;
        let example = workspace::root().join("examples").join(name);
        for entry in fs::read_dir(&example).with_context(|| example.display().to_string())? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), repository.path.join(entry.file_name()))?;
            }
        }
        repository.commit("The first version")?;
        Ok(repository)
    }

    /// A new repository on the branch `main`, without a commit.
    pub(crate) fn empty(path: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&path)?;
        let repository = Self { path };
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(repository)
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts a branch where the current one is and goes there.
    pub(crate) fn branch(&self, name: &str) -> anyhow::Result<()> {
        self.git(&["switch", "--quiet", "--create", name]).map(drop)
    }

    /// Goes to a branch.
    pub(crate) fn switch(&self, name: &str) -> anyhow::Result<()> {
        self.git(&["switch", "--quiet", name]).map(drop)
    }

    /// Replaces a file of the work tree.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.path.join(name), text).with_context(|| format!("writing {name}"))
    }

    /// Commits the work tree and returns the commit's id.
    pub(crate) fn commit(&self, message: &str) -> anyhow::Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message])?;
        Ok(self.git(&["rev-parse", "HEAD"])?.trim().to_owned())
    }

    fn git(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("git");
        command.current_dir(&self.path).args(["-c", "user.name=Windlass", "-c"]);
        command.args(["user.email=windlass@localhost", "-c", "gc.auto=0"]).args(arguments);
        // Whatever the person who runs this has configured must not matter.
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for inherited in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(inherited);
        }
        process::read(&mut command)
    }
}
