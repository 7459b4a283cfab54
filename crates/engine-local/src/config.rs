//! What an operator decides about the local engine.

use std::path::PathBuf;

use windlass_engine_kit::supervise::SupervisorProgram;

/// How the local engine is set up.
#[derive(Debug, Clone)]
pub struct LocalEngineConfig {
    /// Where it keeps everything; made if missing. One server at a time.
    pub folder: PathBuf,
    /// The program that supervises builds and apps.
    pub supervisor: SupervisorProgram,
    /// Whether repositories on this machine may be built.
    pub allow_local_git: bool,
    /// Variables for git alone, such as those that name a proxy.
    pub git_environment: Vec<(String, String)>,
    /// As whom builds and apps run where the server runs as root.
    pub users: Users,
    /// Folders and files, besides the system's own, that builds and apps may read.
    pub read_only_paths: Vec<PathBuf>,
}

/// As whom builds and apps run where the server runs as root; else it is as the server's user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// Each project as a user of its own, so that none can touch another's files or processes.
    PerProject {
        /// The first of the user ids that are given away; they and those after it should belong
        /// to nobody.
        first_uid: u32,
    },
    /// All as one.
    Shared {
        /// The user's id.
        uid: u32,
        /// The group's id.
        gid: u32,
    },
}

impl Default for Users {
    /// A range that neither accounts, containers nor systemd use.
    fn default() -> Self {
        Self::PerProject { first_uid: 1_900_000_000 }
    }
}

impl LocalEngineConfig {
    /// The usual set-up.
    #[must_use]
    pub fn new(folder: PathBuf, supervisor: SupervisorProgram) -> Self {
        Self {
            folder,
            supervisor,
            allow_local_git: false,
            git_environment: Vec::new(),
            users: Users::default(),
            read_only_paths: Vec::new(),
        }
    }
}
