//! The files in the user's own folders (`XDG_CONFIG_HOME`, `XDG_STATE_HOME`).

use std::{
    fs::{self, DirBuilder, File},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy as _, base_strategy::Xdg};
use serde::{Serialize, de::DeserializeOwned};
use tempfile::NamedTempFile;

use crate::failure::{Failure, Result};

const OURS: &str = "windlass";

/// The file with the shell's history, in a folder that is there.
pub(crate) fn history() -> Result<PathBuf> {
    let xdg = xdg()?;
    let folder = xdg.state_dir().unwrap_or_else(|| xdg.data_dir()).join(OURS);
    make(&folder)?;
    Ok(folder.join("history"))
}

/// Reads a file of the configuration, if there is one.
pub(super) fn read<T: DeserializeOwned>(name: &str) -> Result<Option<T>> {
    let path = folder()?.join(name);
    open(&path)?.map(|file| parse(file, &path)).transpose()
}

/// The same for a file with secrets: it must be its owner's alone.
pub(super) fn read_private<T: DeserializeOwned>(name: &str) -> Result<Option<T>> {
    let path = folder()?.join(name);
    let Some(file) = open(&path)? else { return Ok(None) };
    let mode = file.metadata().map_err(Failure::file("reading", &path))?.permissions().mode();
    if mode & 0o077 != 0 {
        let reason = format!("others can read it; run: chmod 600 {}", path.display());
        return Err(Failure::Misshapen { path, reason });
    }
    // The parser's words may show what stands in it.
    let hide = |_| {
        let reason = "remove it, then log in again".to_owned();
        Failure::Misshapen { path: path.clone(), reason }
    };
    parse(file, &path).map(Some).map_err(hide)
}

/// Writes a file of the configuration, whole or not at all, for its owner alone.
pub(super) fn write(name: &str, content: &impl Serialize) -> Result<()> {
    let folder = folder()?;
    let path = folder.join(name);
    let text = toml::to_string(content)
        .map_err(|err| Failure::Misshapen { path: path.clone(), reason: err.to_string() })?;
    make(&folder)?;
    // Temporary files are their owner's alone from the beginning.
    let mut file = NamedTempFile::new_in(&folder).map_err(Failure::file("writing", &path))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all());
    written.map_err(Failure::file("writing", &path))?;
    file.persist(&path).map_err(|err| Failure::file("writing", &path)(err.error))?;
    Ok(())
}

fn folder() -> Result<PathBuf> {
    Ok(xdg()?.config_dir().join(OURS))
}

fn xdg() -> Result<Xdg> {
    Xdg::new().map_err(|err| Failure::Usage(format!("there is no home folder: {err}")))
}

fn make(folder: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(Failure::file("making", folder))
}

fn open(path: &Path) -> Result<Option<File>> {
    match fs::File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
        Err(err) => Err(Failure::file("reading", path)(err)),
    }
}

fn parse<T: DeserializeOwned>(mut file: File, path: &Path) -> Result<T> {
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(Failure::file("reading", path))?;
    toml::from_str(&text).map_err(|err| Failure::Misshapen {
        path: path.to_owned(),
        reason: err.message().to_owned(),
    })
}
