//! Who answers for a folder: whoever holds its lock.
//!
//! The kernel drops the lock with its holder, so it cannot mislead as process ids can, which are
//! given to others.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// The right to decide what happens in a folder. Ends when dropped.
#[derive(Debug)]
pub struct Claim {
    _file: File,
}

impl Claim {
    /// Waits until nobody else has it.
    pub fn take(folder: &Path) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(lock(folder))?;
        file.lock()?;
        Ok(Self { _file: file })
    }

    /// Whether somebody has it. Those who only ask do not disturb each other.
    #[must_use]
    pub fn is_held(folder: &Path) -> bool {
        let asked = File::open(lock(folder)).map(|file| file.try_lock_shared());
        matches!(asked, Ok(Err(TryLockError::WouldBlock)))
    }
}

fn lock(folder: &Path) -> PathBuf {
    folder.join("lock")
}
