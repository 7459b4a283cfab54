//! Requests that wait until an app has woken up.

use std::{sync::Arc, time::Duration};

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

/// Where requests wait for apps that wake up.
pub(crate) struct Waking {
    places: Arc<Semaphore>,
    calls: broadcast::Sender<String>,
    /// How long programs wait, and how long browsers do before they get a page.
    patience: Duration,
    patience_of_browsers: Duration,
}

/// A request that waits.
pub(crate) struct Held {
    deadline: Instant,
    changes: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
}

impl Waking {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.held.min(Semaphore::MAX_PERMITS))),
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

    /// Lets a request wait; `None` where too many do.
    pub(crate) fn hold(&self, who: Who, mut changes: watch::Receiver<()>) -> Option<Held> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let patience = match who {
            Who::Browser => self.patience_of_browsers,
            Who::Program => self.patience,
        };
        // What has changed since the route was looked up is not missed.
        changes.mark_changed();
        Some(Held { deadline: Instant::now() + patience, changes, _place: place })
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
