//! Where what is.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use windlass_domain::ProjectId;
use windlass_services::{Place, ServiceError};

use crate::{
    config::ServiceUser,
    files::{Owner, make_folder},
};

/// The longest name of a socket below the data folder, and the longest path that a socket may have.
const LONGEST_NAME: usize = "/proj_01kdvdna00e008000000000000/run/.s.PGSQL.65535".len();
const LONGEST_SOCKET: usize = 107;

/// The folder of all that services keep. Folders in which servers write are theirs; those around
/// them are ours, so that no server can lead us astray.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
    user: Option<ServiceUser>,
}

impl Layout {
    /// Makes what is missing; the error says what servers would stumble over.
    pub(crate) fn open(root: &Path, user: Option<ServiceUser>) -> Result<Self, ServiceError> {
        let failed =
            |error: io::Error| ServiceError::unavailable("making the folder for services")(error);
        // Only root has another user to be.
        let user = user.filter(|_| rustix::process::geteuid().is_root());
        fs::create_dir_all(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        make_folder(&root, Owner::OURS).map_err(failed)?;
        let mode = if user.is_some() { 0o711 } else { 0o700 };
        fs::set_permissions(&root, fs::Permissions::from_mode(mode)).map_err(failed)?;
        if LONGEST_SOCKET < root.as_os_str().len() + LONGEST_NAME {
            let most = LONGEST_SOCKET - LONGEST_NAME;
            return Err(ServiceError::Missing {
                what: format!("a folder for services with a path of at most {most} bytes"),
                advice: format!("{} is longer; choose another", root.display()),
            });
        }
        if let Some(closed) = user.and_then(|user| closed_to(&root, user)) {
            let closed = closed.display();
            return Err(ServiceError::Missing {
                what: format!("a way for the servers' user to {}", root.display()),
                advice: format!("let others pass through ({closed}: chmod o+x), or choose another"),
            });
        }
        Ok(Self { root, user })
    }

    /// As whom servers run, if it isn't as ourselves.
    pub(crate) fn user(&self) -> Option<ServiceUser> {
        self.user
    }

    /// Whether the servers' user is fit for that: PostgreSQL wants one that is not root, as we do for
    /// Redis, and that has a name.
    pub(crate) fn check_user(&self) -> Result<(), ServiceError> {
        let uid = match self.user {
            Some(user) => user.uid,
            None => rustix::process::geteuid().as_raw(),
        };
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        // Accounts that are kept elsewhere (LDAP) are taken on trust where this file has none.
        if uid != 0 && (accounts.is_empty() || has_account(&accounts, uid)) {
            return Ok(());
        }
        let advice = "make one (useradd --system windlass-services) and name it in the settings";
        let what = if uid == 0 {
            "an ordinary user, since servers are not run as root".to_owned()
        } else {
            format!("a name of the servers' user {uid}")
        };
        Err(ServiceError::Missing { what, advice: advice.to_owned() })
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn ports(&self) -> PathBuf {
        self.root.join("ports.json")
    }

    pub(crate) fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    pub(crate) fn project(&self, project: ProjectId) -> PathBuf {
        self.root.join(project.to_string())
    }

    /// Projects that have a folder.
    pub(crate) fn projects(&self) -> io::Result<Vec<ProjectId>> {
        let mut projects = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            projects.extend(name.to_str().and_then(|name| name.parse::<ProjectId>().ok()));
        }
        projects.sort_unstable();
        Ok(projects)
    }

    /// What is known of a project's environments.
    pub(crate) fn record(&self, project: ProjectId) -> PathBuf {
        self.project(project).join("state.json")
    }

    /// Where a project's servers have their sockets.
    pub(crate) fn sockets(&self, project: ProjectId) -> PathBuf {
        self.project(project).join("run")
    }

    pub(crate) fn environment(&self, place: Place) -> PathBuf {
        self.project(place.project).join(place.environment.to_string())
    }

    /// Makes a project's folder.
    pub(crate) fn make_project(&self, project: ProjectId) -> io::Result<()> {
        make_folder(&self.project(project), Owner::passage(self.user))?;
        make_folder(&self.sockets(project), Owner::servers(self.user))
    }

    /// Makes an environment's folder, in its project's.
    pub(crate) fn make_environment(&self, place: Place) -> io::Result<()> {
        make_folder(&self.environment(place), Owner::passage(self.user))
    }
}

/// Reads lines like `name:x:1000:1000:…`.
fn has_account(accounts: &str, uid: u32) -> bool {
    accounts.lines().any(|line| line.split(':').nth(2).and_then(|id| id.parse().ok()) == Some(uid))
}

/// The first folder on the way that this user cannot pass through.
fn closed_to(root: &Path, user: ServiceUser) -> Option<PathBuf> {
    let is_closed = |folder: &&Path| {
        fs::metadata(folder).is_ok_and(|it| {
            let bit = match (it.uid() == user.uid, it.gid() == user.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            it.permissions().mode() & bit == 0
        })
    };
    root.ancestors().find(is_closed).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::has_account;

    #[test]
    fn accounts_are_found_by_their_id() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\nmiller:x:1000:7::/:/bin/sh\n";
        assert!(has_account(accounts, 1_000));
        assert!(!has_account(accounts, 7));
    }
}
