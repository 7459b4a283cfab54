//! The data folder: who may read it, what is in it, and that only one server uses it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};
use secrecy::{ExposeSecret as _, SecretString};
use windlass_auth::PlainKey;
use windlass_control::Keyring;
use windlass_domain::{Entropy, WorkerId};
use windlass_services_local::SecretKey;

/// The file with the keys that secrets are sealed with.
const KEYRING: &str = "secrets.key";

/// The SQLite database in a data folder that somebody else may hold.
pub(crate) fn sqlite_file_in(data_dir: &Path) -> PathBuf {
    data_dir.join("windlass.db")
}

/// Reads the keys that secrets are sealed with from a data folder that somebody else may hold.
pub(crate) fn keyring_in(data_dir: &Path) -> anyhow::Result<Keyring> {
    let path = data_dir.join(KEYRING);
    let context = || format!("cannot use the key file {}", path.display());
    let text = fs::read_to_string(&path).with_context(context)?;
    Keyring::parse(&SecretString::from(text)).with_context(context)
}

/// The data folder, held by this process.
pub(crate) struct DataDir {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl DataDir {
    /// Makes the folder where it is missing, closes it to everybody else, and takes hold of it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("cannot make the data folder {}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .with_context(|| format!("cannot close the data folder {}", path.display()))?;
        let path = path.canonicalize().context("cannot find the data folder")?;
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(path.join("lock"))
            .with_context(|| format!("cannot write to the data folder {}", path.display()))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!("another server is using the data folder {}", path.display());
        }
        Ok(Self { path, _lock: lock })
    }

    /// The SQLite database in it.
    pub(crate) fn sqlite_file(&self) -> PathBuf {
        sqlite_file_in(&self.path)
    }

    /// The folder of the local engine.
    pub(crate) fn engine_dir(&self) -> PathBuf {
        self.path.join("engine")
    }

    /// The folder of the Swarm engine.
    pub(crate) fn swarm_dir(&self) -> PathBuf {
        self.path.join("swarm")
    }

    /// The folder of backing services.
    pub(crate) fn services_dir(&self) -> PathBuf {
        self.path.join("services")
    }

    /// Reads what the passwords of backing services are derived from, or makes it.
    pub(crate) fn services_key(&self, entropy: &dyn Entropy) -> anyhow::Result<SecretKey> {
        let path = self.path.join("services.key");
        let context = || format!("cannot use the key file {}", path.display());
        match fs::read(&path) {
            Ok(bytes) => {
                let bytes: [u8; 32] = bytes.try_into().map_err(|_| {
                    anyhow::anyhow!("it is damaged: it must have 32 bytes").context(context())
                })?;
                Ok(SecretKey::new(bytes))
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                let mut bytes = [0; 32];
                entropy.fill(&mut bytes);
                write_new(&path, &bytes).with_context(context)?;
                Ok(SecretKey::new(bytes))
            }
            Err(err) => Err(err).with_context(context),
        }
    }

    /// Where the first start leaves the owner's key.
    pub(crate) fn owner_key_file(&self) -> PathBuf {
        self.path.join("owner.key")
    }

    /// Reads the keys that secrets are sealed with, or makes them.
    pub(crate) fn keyring(&self, entropy: &dyn Entropy) -> anyhow::Result<Keyring> {
        let path = self.path.join(KEYRING);
        let context = || format!("cannot use the key file {}", path.display());
        match fs::read_to_string(&path) {
            Ok(text) => Keyring::parse(&SecretString::from(text)).with_context(context),
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                let keyring = Keyring::generate(entropy);
                let text = keyring.to_text();
                write_new(&path, text.expose_secret().as_bytes()).with_context(context)?;
                Ok(keyring)
            }
            Err(err) => Err(err).with_context(context),
        }
    }

    /// The name of this server among those that share a database: the same after a restart.
    pub(crate) fn worker(&self, entropy: &dyn Entropy) -> anyhow::Result<WorkerId> {
        let path = self.path.join("server.id");
        let context = || format!("cannot use {}", path.display());
        match fs::read_to_string(&path) {
            Ok(text) => Ok(WorkerId::new(text.trim().to_owned())),
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                let mut random = [0; 16];
                entropy.fill(&mut random);
                let text = format!("{:032x}", u128::from_be_bytes(random));
                write_new(&path, text.as_bytes()).with_context(context)?;
                Ok(WorkerId::new(text))
            }
            Err(err) => Err(err).with_context(context),
        }
    }

    /// Leaves the owner's key where only the operator finds it.
    pub(crate) fn write_owner_key(&self, key: &PlainKey) -> io::Result<()> {
        let path = self.owner_key_file();
        // One that is there may open another database that this folder was used with.
        let mut older = (1..).map(|number| path.with_extension(format!("key.{number}")));
        if path.exists()
            && let Some(free) = older.find(|older| !older.exists())
        {
            fs::rename(&path, free)?;
        }
        write_new(&path, format!("{}\n", key.expose()).as_bytes())
    }

    /// Tells scripts where the server listens.
    pub(crate) fn write_addresses(&self, addresses: &serde_json::Value) -> io::Result<()> {
        let (path, new) = (self.path.join("server.json"), self.path.join("server.json.new"));
        fs::write(&new, format!("{addresses}\n"))?;
        fs::rename(new, path)
    }
}

/// Writes a file that nobody else may read, and that is on the disk when this returns.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file =
        private(OpenOptions::new().write(true).create(true).truncate(true)).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use windlass_domain::OsEntropy;

    use super::DataDir;

    #[test]
    fn one_folder_serves_one_server() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataDir::open(dir.path()).unwrap();
        let Err(err) = DataDir::open(dir.path()) else { panic!("two servers on one folder") };
        assert!(err.to_string().contains("another server"), "{err}");
        drop(held);
        DataDir::open(dir.path()).unwrap();
    }

    #[test]
    fn secrets_are_made_once_and_nobody_else_can_read_them() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(&dir.path().join("a/b")).unwrap();
        data.keyring(&OsEntropy).unwrap();
        let path = dir.path().join("a/b/secrets.key");
        let first = fs::read(&path).unwrap();
        data.keyring(&OsEntropy).unwrap();

        assert_eq!(fs::read(&path).unwrap(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let folder = fs::metadata(dir.path().join("a/b")).unwrap();
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_key_that_is_there_is_kept_beside_the_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        for key in ["one", "two", "three"] {
            data.write_owner_key(&key.to_owned().into()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        let kept = ["owner.key.1", "owner.key.2", "owner.key"].map(read);
        assert_eq!(kept, ["one\n", "two\n", "three\n"]);
    }

    #[test]
    fn a_server_keeps_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let name = |data: &DataDir| data.worker(&OsEntropy).unwrap();
        let first = name(&DataDir::open(dir.path()).unwrap());
        assert_eq!(name(&DataDir::open(dir.path()).unwrap()), first);
    }
}
