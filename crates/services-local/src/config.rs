//! What an operator decides about backing services.

use std::{fmt, ops::RangeInclusive, path::PathBuf, sync::Arc};

use secrecy::SecretBox;

/// How backing services are set up.
#[derive(Debug, Clone)]
pub struct ServicesConfig {
    /// Where they keep everything; made if missing. One server at a time. Where Windlass runs as
    /// root, [`ServicesConfig::user`] must be able to get there.
    pub data_dir: PathBuf,
    /// As whom servers run where Windlass runs as root; else it is as Windlass's own user.
    /// PostgreSQL wants a user that has a name.
    pub user: Option<ServiceUser>,
    /// What the passwords of all services are derived from. With another key, what is there already
    /// can't be reached any more.
    pub key: SecretKey,
    /// Where on 127.0.0.1 they listen. Best below the range from which the system takes ports for
    /// outgoing connections.
    pub ports: RangeInclusive<u16>,
    /// How much data each Redis may hold, in bytes.
    pub redis_memory: u64,
    /// Where programs are looked for, before the folders in which systems usually keep them.
    pub program_folders: Vec<PathBuf>,
}

/// An ordinary user of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceUser {
    /// The user's id.
    pub uid: u32,
    /// The id of a group; it should have no other members.
    pub gid: u32,
}

/// 32 secret bytes.
#[derive(Clone)]
pub struct SecretKey(pub(crate) Arc<SecretBox<[u8; 32]>>);

impl SecretKey {
    /// Takes bytes that nobody can guess.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(SecretBox::new(Box::new(bytes))))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

impl ServicesConfig {
    /// The usual set-up.
    #[must_use]
    pub fn new(data_dir: PathBuf, key: SecretKey) -> Self {
        Self {
            data_dir,
            user: None,
            key,
            ports: 21_000..=29_999,
            redis_memory: 64 * 1024 * 1024,
            program_folders: Vec::new(),
        }
    }
}
