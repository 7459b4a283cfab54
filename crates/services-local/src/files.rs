//! Folders and small files with owners, and trees that vanish at once.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, lchown},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::config::ServiceUser;

/// Who may do what with something that is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) mode: u32,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
}

impl Owner {
    /// Ours alone.
    pub(crate) const OURS: Self = Self { mode: 0o700, uid: None, gid: None };

    /// A folder of ours that servers pass through; they can neither list nor change it.
    pub(crate) fn passage(user: Option<ServiceUser>) -> Self {
        match user {
            None => Self::OURS,
            Some(user) => Self { mode: 0o710, uid: None, gid: Some(user.gid) },
        }
    }

    /// The servers' alone.
    pub(crate) fn servers(user: Option<ServiceUser>) -> Self {
        Self { mode: 0o700, uid: user.map(|it| it.uid), gid: user.map(|it| it.gid) }
    }
}

/// Makes a folder where there is none. Its parent must be there, and be ours.
pub(crate) fn make_folder(path: &Path, owner: Owner) -> io::Result<()> {
    match DirBuilder::new().mode(owner.mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    lchown(path, owner.uid, owner.gid)
}

/// Replaces a file in a folder of ours; readers see the old text or the new one, and so does
/// whoever comes after a crash.
pub(crate) fn write(path: &Path, text: &[u8], owner: Owner) -> io::Result<()> {
    let next = path.with_extension("new");
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mode = owner.mode & 0o600;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&next)?;
    file.write_all(text)?;
    lchown(&next, owner.uid, owner.gid)?;
    file.sync_all()?;
    fs::rename(&next, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Replaces a file of ours that is read by [`read_json`].
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    write(path, &serde_json::to_vec(value)?, Owner::OURS)
}

/// Reads a file; `None` where there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where things go before they are removed, so that they vanish at once however long that takes.
#[derive(Debug, Clone)]
pub(crate) struct Trash(PathBuf);

impl Trash {
    /// Opens it; what was left in it is removed.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        make_folder(&folder, Owner::OURS)?;
        Ok(Self(folder))
    }

    /// Throws a file or a folder away. When this returns, or is cut off, it is gone from its place;
    /// without effect where there is nothing.
    pub(crate) async fn take(&self, path: &Path) -> io::Result<()> {
        let Some(gone) = self.rename(path)? else { return Ok(()) };
        let removed = tokio::task::spawn_blocking(move || {
            if gone.is_dir() { fs::remove_dir_all(&gone) } else { fs::remove_file(&gone) }
        });
        removed.await.map_err(io::Error::other)?
    }

    fn rename(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        for number in 0.. {
            let to = self.0.join(number.to_string());
            if fs::symlink_metadata(&to).is_ok() {
                continue;
            }
            match fs::rename(path, &to) {
                Ok(()) => return Ok(Some(to)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                // Somebody else was faster.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory
                    ) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{Owner, Trash, write};

    #[test]
    fn a_file_is_replaced_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.json");
        write(&path, b"one", Owner::OURS).unwrap();
        write(&path, b"two", Owner::OURS).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn what_is_thrown_away_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let trash = Trash::open(folder.path().join("trash")).unwrap();
        let tree = folder.path().join("tree");
        for _ in 0..2 {
            fs::create_dir_all(tree.join("deep")).unwrap();
            trash.take(&tree).await.unwrap();
            assert!(!tree.exists());
        }
        trash.take(&tree).await.unwrap();
        assert_eq!(fs::read_dir(folder.path().join("trash")).unwrap().count(), 0);
    }
}
