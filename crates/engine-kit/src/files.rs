//! Small files that are replaced whole, and trees that are removed.

use std::{
    fs::{self, DirBuilder, DirEntry, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, lchown},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};
use windlass_engine::EngineError;

use crate::faults::internal;

/// How often is looked how large a folder has become.
const LOOK_AT_DISK_EVERY: Duration = Duration::from_millis(200);

/// What a supervisor knows, as long as it works. Its name is in the folder of a build, a task or an
/// app.
pub const STATE: &str = "state.json";
/// How a build or a task ended.
pub const REPORT: &str = "report.json";
/// That a build, a task or an app is to end.
pub const STOP: &str = "stop.json";

/// Replaces a file; readers see the old text or the new one.
pub fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let next = path.with_extension("new");
    fs::write(&next, serde_json::to_vec(value)?)?;
    fs::rename(next, path)
}

/// Replaces a file so that it is there even if the machine loses its power just then.
pub fn write_json_durably(path: &Path, value: &impl Serialize) -> io::Result<()> {
    write_json(path, value)?;
    // The file, its folder, and the folder which that was just made in.
    path.ancestors().take(3).try_for_each(|it| fs::File::open(it)?.sync_all())
}

/// Reads a file; `None` where there is none.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a folder with all that is in it, also where its owner closed parts of it.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            visit(path, &mut |entry| {
                if entry.file_type()?.is_dir() {
                    fs::set_permissions(entry.path(), Permissions::from_mode(0o700))?;
                }
                Ok(())
            })?;
            fs::remove_dir_all(path)
        }
        done => done,
    }
}

/// Removes a folder with all that is in it, without keeping others waiting.
pub async fn remove(folder: PathBuf) -> Result<(), EngineError> {
    tokio::task::spawn_blocking(move || remove_tree(&folder))
        .await
        .map_err(internal("removing a folder"))?
        .map_err(internal("removing a folder"))
}

/// Makes a folder and its parents.
pub fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path)
}

/// Gives a folder and all that is in it to somebody.
pub fn give_tree(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    lchown(path, Some(uid), Some(gid))?;
    visit(path, &mut |entry| lchown(entry.path(), Some(uid), Some(gid)))
}

/// How much disk space a tree takes. What vanishes meanwhile is not counted.
#[must_use]
pub fn tree_bytes(path: &Path) -> u64 {
    let mut bytes: u64 = 0;
    // A folder that can't be read is counted as far as it was seen.
    let _ = visit(path, &mut |entry| {
        if let Ok(metadata) = entry.metadata() {
            bytes = bytes.saturating_add(metadata.blocks().saturating_mul(512));
        }
        Ok(())
    });
    bytes
}

/// Returns once a folder takes more space than it may. Large trees are looked at less often.
pub async fn overflow(folder: &Path, limit: u64) {
    loop {
        let (path, began) = (folder.to_owned(), Instant::now());
        let bytes = tokio::task::spawn_blocking(move || tree_bytes(&path)).await.unwrap_or(0);
        if limit < bytes {
            return;
        }
        tokio::time::sleep(LOOK_AT_DISK_EVERY.max(began.elapsed() * 20)).await;
    }
}

/// Shows every entry below a folder, a folder before what is in it, and follows no links.
fn visit(folder: &Path, see: &mut impl FnMut(&DirEntry) -> io::Result<()>) -> io::Result<()> {
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            see(&entry)?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                pending.push(entry.path());
            }
        }
    }
    Ok(())
}

/// The names in a folder that can be read as `T`.
#[must_use]
pub fn names<T: std::str::FromStr>(folder: &Path) -> Vec<T> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{remove_tree, tree_bytes};

    #[test]
    fn links_are_neither_followed_nor_counted() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("big"), vec![1; 1 << 20]).unwrap();
        let inside = tempfile::tempdir().unwrap();
        symlink(outside.path(), inside.path().join("link")).unwrap();

        assert!(tree_bytes(inside.path()) < 1 << 20);
        remove_tree(inside.path()).unwrap();
        assert!(outside.path().join("big").exists());
    }
}
