//! The folder that is built, as the archive that the daemon takes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use tar::{Builder, Header, HeaderMode};
use tokio::{io::DuplexStream, task::JoinHandle};
use tokio_util::io::{ReaderStream, SyncIoBridge};

use super::{
    ignore::{self, Ignored},
    recipe::{Dockerfile, Recipe},
};

/// How a Dockerfile that is not of the folder is called in the archive.
const DOCKERFILE: &str = ".windlass.Dockerfile";
/// How much of the archive waits for the daemon.
const IN_FLIGHT: usize = 256 * 1024;

/// An archive on its way to the daemon.
pub(super) struct Context {
    /// The path of the Dockerfile in it.
    pub(super) dockerfile: String,
    reader: DuplexStream,
    writer: JoinHandle<io::Result<()>>,
}

impl Context {
    /// Begins to pack; the error is for the people of the project.
    pub(super) fn pack(recipe: &Recipe) -> Result<Self, String> {
        let folder = recipe.context.clone();
        let ignore_file = folder.join(ignore::FILE);
        let is_own = fs::symlink_metadata(&ignore_file).is_ok_and(|it| it.is_file());
        let text = if is_own {
            fs::read_to_string(&ignore_file).unwrap_or_default()
        } else {
            String::new()
        };
        let ignored = Ignored::read(&text)?;
        let (dockerfile, added) = match &recipe.dockerfile {
            Dockerfile::Inside(path) => (path.clone(), Vec::new()),
            // The daemon leaves it out of what is built, as Docker's own client has it.
            Dockerfile::Text(dockerfile) => (
                DOCKERFILE.to_owned(),
                vec![
                    (DOCKERFILE.to_owned(), dockerfile.clone()),
                    (ignore::FILE.to_owned(), format!("{text}\n{DOCKERFILE}\n{}\n", own(is_own))),
                ],
            ),
        };
        let packing = Packing { folder, ignored, dockerfile: dockerfile.clone(), added };
        let (writer, reader) = tokio::io::duplex(IN_FLIGHT);
        let writer = SyncIoBridge::new(writer);
        let writer = tokio::task::spawn_blocking(move || packing.write(writer));
        Ok(Self { dockerfile, reader, writer })
    }

    /// As the body of a request. An archive that breaks off breaks the request off.
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let Self { reader, writer, .. } = self;
        let rest = futures_util::stream::once(async {
            match writer.await {
                Ok(Ok(())) => Ok(None),
                Ok(Err(error)) => Err(error),
                Err(error) => Err(io::Error::other(error)),
            }
        });
        let rest = rest.try_filter_map(|nothing| async { Ok(nothing) });
        ReaderStream::new(reader).chain(rest)
    }
}

/// What the file that says what is left out says of itself, where it was not there before.
fn own(is_there: bool) -> &'static str {
    if is_there { "" } else { ignore::FILE }
}

/// What an archive is made from.
struct Packing {
    folder: PathBuf,
    ignored: Ignored,
    dockerfile: String,
    /// Files that are not of the folder, or in place of its own.
    added: Vec<(String, String)>,
}

impl Packing {
    fn write(self, writer: impl io::Write) -> io::Result<()> {
        let mut archive = Builder::new(writer);
        archive.follow_symlinks(false);
        // The owner and the time of a checkout say nothing, and would spoil Docker's cache.
        archive.mode(HeaderMode::Deterministic);
        self.add_folder(&mut archive, Path::new(""))?;
        for (name, text) in &self.added {
            let mut header = Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, text.as_bytes())?;
        }
        archive.into_inner()?.flush()
    }

    /// Adds what is in a folder, by its path in the archive; in order, so that equal folders make
    /// equal archives.
    fn add_folder(&self, archive: &mut Builder<impl io::Write>, at: &Path) -> io::Result<()> {
        let mut entries: Vec<_> = fs::read_dir(self.folder.join(at))?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = at.join(entry.file_name());
            let kind = entry.file_type()?;
            let is_sent = !self.ignored.excludes(&path) || self.is_needed(&path);
            if kind.is_dir() {
                if is_sent {
                    archive.append_dir(&path, entry.path())?;
                }
                if is_sent || self.ignored.has_exceptions() || self.leads_to_dockerfile(&path) {
                    self.add_folder(archive, &path)?;
                }
            } else if (kind.is_file() || kind.is_symlink()) && is_sent && !self.is_replaced(&path) {
                archive.append_path_with_name(entry.path(), &path)?;
            }
        }
        Ok(())
    }

    /// The daemon reads these, and leaves them out by itself.
    fn is_needed(&self, path: &Path) -> bool {
        path == Path::new(ignore::FILE) || path == Path::new(&self.dockerfile)
    }

    fn leads_to_dockerfile(&self, path: &Path) -> bool {
        Path::new(&self.dockerfile).starts_with(path)
    }

    fn is_replaced(&self, path: &Path) -> bool {
        self.added.iter().any(|(name, _)| path == Path::new(name))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, io::Read as _, os::unix::fs::symlink, path::Path};

    use super::{Dockerfile, Ignored, Packing, Recipe};

    fn pack(folder: &Path, ignore: &str, recipe: &Recipe) -> BTreeMap<String, String> {
        let packing = Packing {
            folder: folder.to_owned(),
            ignored: Ignored::read(ignore).unwrap(),
            dockerfile: match &recipe.dockerfile {
                Dockerfile::Inside(path) => path.clone(),
                Dockerfile::Text(_) => ".windlass.Dockerfile".to_owned(),
            },
            added: match &recipe.dockerfile {
                Dockerfile::Inside(_) => Vec::new(),
                Dockerfile::Text(text) => vec![(".windlass.Dockerfile".to_owned(), text.clone())],
            },
        };
        let mut bytes = Vec::new();
        packing.write(&mut bytes).unwrap();
        let mut archive = tar::Archive::new(&*bytes);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let link = entry.link_name().unwrap().map(|link| format!("-> {}", link.display()));
            (name.trim_end_matches('/').to_owned(), link.unwrap_or(text))
        });
        entries.collect()
    }

    #[test]
    fn links_are_sent_as_links_and_what_is_ignored_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("docker")).unwrap();
        fs::create_dir(at("target")).unwrap();
        for name in ["docker/Dockerfile", "target/big", "target/kept", "a", ".dockerignore"] {
            fs::write(at(name), name).unwrap();
        }
        symlink("/etc/passwd", at("link")).unwrap();
        let recipe = Recipe {
            context: folder.path().to_owned(),
            dockerfile: Dockerfile::Inside("docker/Dockerfile".to_owned()),
        };
        let ignore = "target\ndocker\n.dockerignore\n!target/kept";
        let packed = pack(folder.path(), ignore, &recipe);
        let names: Vec<&str> = packed.keys().map(String::as_str).collect();
        assert_eq!(names, [".dockerignore", "a", "docker/Dockerfile", "link", "target/kept"]);
        assert_eq!(packed["link"], "-> /etc/passwd");
        assert_eq!(packed["a"], "a");
    }

    #[test]
    fn a_dockerfile_from_elsewhere_is_added() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "a").unwrap();
        let recipe = Recipe {
            context: folder.path().to_owned(),
            dockerfile: Dockerfile::Text("FROM x".to_owned()),
        };
        let packed = pack(folder.path(), "", &recipe);
        assert_eq!(packed[".windlass.Dockerfile"], "FROM x");
    }
}
