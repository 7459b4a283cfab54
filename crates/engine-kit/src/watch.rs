//! Waiting for something to happen in a folder.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use tokio::{net::unix::pipe, sync::watch};

/// How often is looked where the kernel can't tell.
const POLL: Duration = Duration::from_millis(50);

/// Tells what happens in folders, all through one descriptor: the kernel grants few.
#[derive(Debug)]
pub struct Watcher {
    /// Not a pipe, but read like one.
    kernel: Option<pipe::Receiver>,
    flags: WatchFlags,
    folders: Mutex<HashMap<i32, watch::Sender<()>>>,
}

/// What is to be seen.
#[derive(Debug, Clone, Copy)]
pub enum Interest {
    /// That files come, go or are replaced.
    Names,
    /// That they are written to as well.
    Contents,
}

/// Wakes when something happened in a folder.
#[derive(Debug)]
pub struct Wake(Option<watch::Receiver<()>>);

impl Wake {
    /// Waits until something has happened since it last returned, and at most so long: whoever
    /// waits looks for itself then.
    pub async fn wait(&mut self, at_most: Duration) {
        match &mut self.0 {
            Some(receiver) => {
                let changed = async {
                    if receiver.changed().await.is_err() {
                        tokio::time::sleep(POLL).await;
                    }
                };
                let _ = tokio::time::timeout(at_most, changed).await;
            }
            None => tokio::time::sleep(POLL.min(at_most)).await,
        }
    }
}

impl Watcher {
    /// Begins to listen; where the kernel can't, all waiting is polling.
    #[must_use]
    pub fn start(interest: Interest) -> Arc<Self> {
        let names = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE;
        let flags = match interest {
            Interest::Names => names,
            Interest::Contents => names | WatchFlags::MODIFY,
        };
        let kernel = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)
            .map_err(io::Error::from)
            .and_then(pipe::Receiver::from_owned_fd_unchecked)
            .inspect_err(|error| tracing::warn!(%error, "inotify cannot be had: polling instead"))
            .ok();
        let watcher = Arc::new(Self { kernel, flags, folders: Mutex::default() });
        tokio::spawn(listen(Arc::downgrade(&watcher)));
        watcher
    }

    /// Begins to watch a folder.
    #[must_use]
    pub fn watch(&self, folder: &Path) -> Wake {
        let Some(kernel) = &self.kernel else { return Wake(None) };
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.retain(|id, sender| {
            let wanted = !sender.is_closed();
            if !wanted {
                let _ = inotify::remove_watch(kernel, *id);
            }
            wanted
        });
        match inotify::add_watch(kernel, folder, self.flags) {
            Ok(id) => Wake(Some(folders.entry(id).or_default().subscribe())),
            Err(_) => Wake(None),
        }
    }

    fn tell(&self, Event { folder, flags }: Event) {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            folders.values().for_each(|sender| sender.send_replace(()));
        } else if flags.contains(ReadFlags::IGNORED) {
            folders.remove(&folder);
        } else if let Some(sender) = folders.get(&folder) {
            sender.send_replace(());
        }
    }
}

/// Listens as long as somebody has the watcher.
async fn listen(watcher: Weak<Watcher>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Some(watcher) = watcher.upgrade() {
        let Some(kernel) = &watcher.kernel else { return };
        // Looks up now and then whether it is still wanted.
        let ready = tokio::time::timeout(Duration::from_secs(1), kernel.readable()).await;
        match ready.map(|ready| ready.and_then(|()| kernel.try_read(&mut buffer))) {
            Ok(Ok(count)) => {
                let events = Events(buffer.get(..count).unwrap_or_default());
                events.for_each(|event| watcher.tell(event));
            }
            Ok(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return,
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

/// Something that the kernel has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event {
    folder: i32,
    flags: ReadFlags,
}

/// Events as the kernel writes them (inotify(7)): four numbers, of which the last is the length of
/// the name that follows.
struct Events<'a>(&'a [u8]);

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let (folder, rest) = self.0.split_first_chunk()?;
        let (flags, rest) = rest.split_first_chunk()?;
        let (_cookie, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk()?;
        self.0 = rest.get(u32::from_ne_bytes(*length) as usize..)?;
        let folder = i32::from_ne_bytes(*folder);
        let flags = ReadFlags::from_bits_retain(u32::from_ne_bytes(*flags));
        Some(Event { folder, flags })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::{Interest, Watcher};

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn who_waits_is_woken_by_what_happens_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let watcher = Watcher::start(Interest::Contents);
        let mut wake = watcher.watch(folder.path());
        for round in 0..3 {
            fs::write(folder.path().join("file"), format!("{round}")).unwrap();
            tokio::time::timeout(LONG / 2, wake.wait(LONG)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_folder_can_be_watched_again_after_nobody_did() {
        let folder = tempfile::tempdir().unwrap();
        let watcher = Watcher::start(Interest::Names);
        drop(watcher.watch(folder.path()));
        let mut wake = watcher.watch(folder.path());
        fs::write(folder.path().join("file"), "").unwrap();
        tokio::time::timeout(LONG / 2, wake.wait(LONG)).await.unwrap();
    }
}
