//! How a supervisor learns that it is to end: by a file, which reaches it whoever wrote it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    files::{STOP, read_json},
    record::StopOrder,
    watch::{Interest, Wake, Watcher},
};

/// Waits for the order to end.
pub struct Control {
    file: PathBuf,
    wake: Wake,
    _watcher: Arc<Watcher>,
}

impl Control {
    /// For the supervisor of this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let watcher = Watcher::start(Interest::Names);
        let wake = watcher.watch(folder);
        Self { file: folder.join(STOP), wake, _watcher: watcher }
    }

    /// Returns once it is to end, with the time that it may take for that.
    pub async fn stopped(&mut self) -> Duration {
        loop {
            match read_json::<StopOrder>(&self.file) {
                Ok(None) => self.wake.wait(Duration::from_secs(1)).await,
                Ok(Some(order)) => return Duration::from_millis(order.grace_millis),
                Err(_) => return Duration::ZERO,
            }
        }
    }
}
