//! Where the database is and how much of it to use.

use std::{path::Path, time::Duration};

use secrecy::SecretString;

/// Where the database is and how much of it to use.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// `sqlite:…` or `postgres:…`; the latter may carry a password.
    pub url: SecretString,
    /// Most connections to keep open, besides one for signals. At least two are used: one for
    /// writers and one for readers.
    pub max_connections: u32,
    /// How long to wait for a connection before giving up.
    pub acquire_timeout: Duration,
}

impl DatabaseOptions {
    /// The database behind a URL, with defaults for the rest.
    #[must_use]
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self { url: url.into(), max_connections: 16, acquire_timeout: Duration::from_secs(5) }
    }

    /// The SQLite file at a path, which is created when it is not there.
    ///
    /// `None` for a path that is not Unicode, which no URL can hold.
    #[must_use]
    pub fn sqlite_file(path: &Path) -> Option<Self> {
        let escaped = path.to_str()?.replace('%', "%25").replace('?', "%3f");
        Some(Self::new(format!("sqlite://{escaped}")))
    }
}
