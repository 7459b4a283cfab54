//! Requests that wait until an app has woken up.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, Method, header};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch},
    time::{Instant, timeout_at},
};

use crate::{config::Limits, page::takes_html};

/// How many calls are kept for somebody who is slow to listen. What is lost is called again.
const CALLS: usize = 256;

/// How often an app is called that still sleeps.
const CALL_AGAIN: Duration = Duration::from_secs(1);

/// How many requests wait for each app.
type Wanted = Arc<Mutex<HashMap<String, usize>>>;

/// Where requests wait for apps that wake up.
pub(crate) struct Waking {
    places: Arc<Semaphore>,
    held: Wanted,
    calls: broadcast::Sender<String>,
    /// How long programs wait, and how long browsers do before they get a page.
    patience: Duration,
    patience_of_browsers: Duration,
}

/// A request that waits.
pub(crate) struct Held {
    deadline: Instant,
    changes: watch::Receiver<()>,
    label: String,
    wanted: Wanted,
    _place: OwnedSemaphorePermit,
}

impl Waking {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.held.min(Semaphore::MAX_PERMITS))),
            held: Arc::default(),
            calls: broadcast::Sender::new(CALLS),
            patience: limits.wake,
            patience_of_browsers: limits.wake_page,
        }
    }

    /// The labels of apps that sleep and that somebody wants.
    pub(crate) fn calls(&self) -> broadcast::Receiver<String> {
        self.calls.subscribe()
    }

    /// Calls an app that sleeps.
    pub(crate) fn call(&self, label: &str) {
        // Without anybody who listens, it sleeps on, and the request ends with a page.
        let _ = self.calls.send(label.to_owned());
    }

    /// The apps for which requests wait.
    pub(crate) fn wanted(&self) -> Vec<String> {
        lock(&self.held).keys().cloned().collect()
    }

    /// Lets a request wait for an app; `None` where too many wait.
    pub(crate) fn hold(
        &self,
        label: &str,
        who: Who,
        mut changes: watch::Receiver<()>,
    ) -> Option<Held> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let patience = match who {
            Who::Browser => self.patience_of_browsers,
            Who::Program => self.patience,
        };
        // What has changed since the route was looked up is not missed.
        changes.mark_changed();
        *lock(&self.held).entry(label.to_owned()).or_default() += 1;
        Some(Held {
            deadline: Instant::now() + patience,
            changes,
            label: label.to_owned(),
            wanted: Arc::clone(&self.held),
            _place: place,
        })
    }
}

impl Held {
    /// Waits until it is worth looking again; false once the time is up.
    pub(crate) async fn until_changed(&mut self) -> bool {
        let now = Instant::now();
        if self.deadline <= now {
            return false;
        }
        let look_again = self.deadline.min(now + CALL_AGAIN);
        // Whether something changed or the time has come makes no difference.
        let _ = timeout_at(look_again, self.changes.changed()).await;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut wanted = lock(&self.wanted);
        if let Some(count) = wanted.get_mut(&self.label) {
            *count -= 1;
            if *count == 0 {
                wanted.remove(&self.label);
            }
        }
    }
}

fn lock(held: &Mutex<HashMap<String, usize>>) -> MutexGuard<'_, HashMap<String, usize>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody who looks at a page: they are told soon that it takes a moment.
    Browser,
    /// Anything else: it wants the app's answer.
    Program,
}

impl Who {
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let looks = *method == Method::GET && headers.get(header::ACCEPT).is_some_and(takes_html);
        if looks { Self::Browser } else { Self::Program }
    }
}
