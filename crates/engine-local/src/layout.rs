//! Where what is.

use std::{
    fmt::Display,
    fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use windlass_domain::{BuildId, DeploymentId};
use windlass_engine_kit::files::make_folder;

/// Names in the folder of an output.
pub(crate) const OUTPUT: &str = "output.json";
pub(crate) const WORKSPACE: &str = "app";
pub(crate) const HOME: &str = "home";
pub(crate) const TEMP: &str = "tmp";

/// The engine's folder.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
    outputs: PathBuf,
    name: String,
}

impl Layout {
    /// Makes what is missing. Where ordinary users must get to their workspaces by themselves and
    /// the folder is closed to them, workspaces are put where they can.
    pub(crate) fn open(root: &Path, reachable: Reachable) -> io::Result<Self> {
        make_folder(root, 0o700)?;
        let root = root.canonicalize()?;
        let metadata = fs::metadata(&root)?;
        let name = format!("windlass-{:x}-{:x}", metadata.dev(), metadata.ino());
        let outputs = match reachable {
            Reachable::ByEveryone if !is_open_to_everyone(&root) => {
                Path::new("/var/lib").join(&name).join("outputs")
            }
            Reachable::ByEveryone | Reachable::ByUs => root.join("outputs"),
        };
        let layout = Self { root, outputs, name };
        make_folder(&layout.outputs, 0o711)?;
        make_folder(&layout.builds(), 0o700)?;
        make_folder(&layout.tasks(), 0o700)?;
        make_folder(&layout.apps(), 0o700)?;
        Ok(layout)
    }

    /// A name that no other engine on this machine has.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn builds(&self) -> PathBuf {
        self.root.join("builds")
    }

    pub(crate) fn tasks(&self) -> PathBuf {
        self.root.join("tasks")
    }

    pub(crate) fn apps(&self) -> PathBuf {
        self.root.join("apps")
    }

    pub(crate) fn app(&self, deployment: DeploymentId) -> PathBuf {
        self.apps().join(deployment.to_string())
    }

    pub(crate) fn outputs(&self) -> &Path {
        &self.outputs
    }

    pub(crate) fn output(&self, build: BuildId) -> PathBuf {
        self.outputs.join(build.to_string())
    }

    /// The folder that is the `/tmp` of an app or a task.
    pub(crate) fn temp(&self, id: impl Display) -> PathBuf {
        self.outputs.join(id.to_string())
    }

    pub(crate) fn owners(&self) -> PathBuf {
        self.root.join("owners.json")
    }
}

/// Who must be able to get to the workspaces.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reachable {
    /// The server is enough: it hands them out.
    ByUs,
    /// Ordinary users too.
    ByEveryone,
}

fn is_open_to_everyone(path: &Path) -> bool {
    path.ancestors()
        .all(|folder| fs::metadata(folder).is_ok_and(|it| it.permissions().mode() & 0o001 != 0))
}
