//! Who reads in which folder, so that nothing is removed before its readers have seen the end.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::record::Outcome;

/// How long readers may take for the last lines of what is removed.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Everyone who reads.
#[derive(Debug, Default)]
pub struct Readers(Mutex<HashMap<PathBuf, Room>>);

/// What the readers in one folder have in common.
#[derive(Debug, Clone, Default)]
struct Room {
    gate: Arc<RwLock<()>>,
    /// How the build or the task ended whose folder was removed before all had seen it.
    last_word: Arc<Mutex<Option<Outcome>>>,
}

/// Somebody reads, until this is dropped.
#[derive(Debug)]
pub struct Reading {
    room: Room,
    _guard: OwnedRwLockReadGuard<()>,
}

impl Reading {
    /// How it ended whose folder is gone.
    #[must_use]
    pub fn last_word(&self) -> Option<Outcome> {
        lock(&self.room.last_word).clone()
    }
}

impl Readers {
    /// Lets somebody read in a folder.
    pub async fn enter(&self, folder: &Path) -> Reading {
        let room = self.room(folder);
        let guard = Arc::clone(&room.gate).read_owned().await;
        Reading { room, _guard: guard }
    }

    /// Waits until nobody reads any more, or has had the time to.
    pub async fn wait(&self, folder: &Path) {
        let room = self.room(folder);
        let _ = tokio::time::timeout(LAST_LINES, room.gate.write()).await;
    }

    /// Leaves word for those who will not find the folder any more.
    pub fn tell(&self, folder: &Path, outcome: Option<Outcome>) {
        *lock(&self.room(folder).last_word) = outcome;
    }

    fn room(&self, folder: &Path) -> Room {
        let mut all = lock(&self.0);
        all.retain(|_, room| 1 < Arc::strong_count(&room.gate));
        all.entry(folder.to_owned()).or_default().clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
