//! PostgreSQL's programs.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use windlass_services::ServiceError;

use crate::programs::{Errand, command, folders, is_program};

/// The oldest version that can drop a database which is in use.
const OLDEST: u32 = 13;

/// A version of PostgreSQL on this machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Installed {
    /// Its major version.
    pub(crate) version: u32,
    folder: PathBuf,
}

impl Installed {
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The newest version on this machine, or the one that a cluster was made by.
pub(crate) async fn installed(
    first: &[PathBuf],
    wanted: Option<u32>,
) -> Result<Installed, ServiceError> {
    let mut found = BTreeSet::new();
    for folder in candidates(first) {
        if let Some(version) = version(&folder).await {
            found.insert(Installed { version, folder });
        }
    }
    let fits = |it: &&Installed| wanted.map_or(OLDEST <= it.version, |wanted| wanted == it.version);
    let newest = found.iter().rfind(fits).cloned();
    newest.ok_or_else(|| {
        let (what, package) = match wanted {
            Some(version) => (format!("PostgreSQL {version}"), format!("postgresql-{version}")),
            None => (format!("PostgreSQL {OLDEST} or newer"), "postgresql".to_owned()),
        };
        ServiceError::Missing { what, advice: format!("install it (apt-get install {package})") }
    })
}

/// The major version that a cluster was made by.
pub(crate) fn version_of(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// Folders that have all that we need. Links are followed: in `PATH` there may be one program only.
fn candidates(first: &[PathBuf]) -> BTreeSet<PathBuf> {
    let kept_apart = ["/usr/lib/postgresql", "/usr"].into_iter().flat_map(|parent| {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join("bin"))
    });
    folders(first)
        .chain(kept_apart)
        .filter_map(|folder| {
            let initdb = folder.join("initdb").canonicalize().ok()?;
            Some(initdb.parent()?.to_owned())
        })
        .filter(|folder| {
            let programs = ["initdb", "postgres", "psql", "pg_dump", "pg_restore"];
            programs.iter().all(|name| is_program(&folder.join(name)))
        })
        .collect()
}

async fn version(folder: &Path) -> Option<u32> {
    let mut ask = command(&folder.join("postgres"), None);
    ask.arg("--version");
    let limit = Duration::from_secs(10);
    let errand = Errand { purpose: "asking PostgreSQL for its version", limit, input: b"" };
    parse_version(&errand.run(ask).await.ok()?)
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(text: &str) -> Option<u32> {
    let number = text.split("(PostgreSQL)").nth(1)?.trim();
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_are_read() {
        let version = parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n");
        assert_eq!(version, Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_version("mysqld 8.0\n"), None);
    }
}
