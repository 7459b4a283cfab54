//! Which label leads where, and which host stands for a label.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{sync::watch, time::Instant};

use crate::{
    aliases::Aliases,
    config::Limits,
    upstream::{Drained, Upstream},
};

/// Where a label leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An app answers.
    App {
        /// Names what answers, in logs.
        id: String,
        /// Where its replicas listen; requests go to them in turn.
        addresses: Vec<SocketAddr>,
    },
    /// An app is on its way: a 503 that is worth trying again at once.
    Starting {
        /// For people.
        message: String,
    },
    /// An app is back in a moment: requests wait for it.
    Waking {
        /// For people who have waited long enough.
        message: String,
    },
    /// An app sleeps: it is called, and requests wait for it.
    Asleep {
        /// For people who have waited long enough.
        message: String,
    },
    /// No app answers.
    Unavailable {
        /// Why.
        reason: Outage,
        /// For people.
        message: String,
    },
}

/// Why no app answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// It failed: a 502.
    Failed,
    /// It was stopped on purpose: a 503.
    Stopped,
    /// It was stopped until somebody resumes it: a 503.
    Paused,
}

/// What leads where; clones share it. Readers never wait.
#[derive(Clone)]
pub struct RouteTable {
    shared: Arc<Shared>,
}

struct Shared {
    routes: ArcSwap<Routes>,
    aliases: Aliases,
    /// Held while the routes change.
    upstreams: Mutex<Upstreams>,
    limits: Limits,
    /// Tells those who wait that something leads elsewhere.
    changes: watch::Sender<()>,
}

type Routes = HashMap<String, Arc<Route>>;

/// Where a label leads, in the form in which requests use it.
pub(crate) enum Route {
    App(App),
    Starting { message: String },
    Waking { message: String },
    Asleep { message: String },
    Unavailable { reason: Outage, message: String },
}

/// An app and its addresses.
pub(crate) struct App {
    pub(crate) id: String,
    upstreams: Vec<Arc<Upstream>>,
    next: AtomicUsize,
    /// Whether a request came since somebody asked.
    visited: AtomicBool,
}

impl App {
    /// Where the next request's turn through the addresses begins. Notes the visit.
    pub(crate) fn turn(&self) -> usize {
        // Most of the time it is noted already, and nobody has to wait for the cache line.
        if !self.visited.load(Ordering::Relaxed) {
            self.visited.store(true, Ordering::Relaxed);
        }
        if self.upstreams.len() < 2 { 0 } else { self.next.fetch_add(1, Ordering::Relaxed) }
    }

    fn is_visited(&self) -> bool {
        self.visited.load(Ordering::Relaxed)
    }

    fn take_visited(&self) -> bool {
        // What takes long is a visit as long as it takes.
        self.visited.swap(false, Ordering::Relaxed)
            || self.upstreams.iter().any(|upstream| upstream.is_used())
    }

    /// The address to be tried after `tried` others, if there are so many.
    pub(crate) fn upstream(&self, turn: usize, tried: usize) -> Option<&Arc<Upstream>> {
        let count = self.upstreams.len();
        if count <= tried {
            return None;
        }
        self.upstreams.get(turn.wrapping_add(tried) % count)
    }
}

/// Every address that a route leads to or that something is still on its way to.
#[derive(Default)]
struct Upstreams {
    routed: HashMap<SocketAddr, Arc<Upstream>>,
    retired: Vec<Weak<Upstream>>,
}

impl Upstreams {
    fn retire_all_but(&mut self, routes: &Routes) {
        let mut unused = std::mem::take(&mut self.routed);
        for route in routes.values() {
            if let Route::App(app) = &**route {
                for upstream in &app.upstreams {
                    unused.remove(&upstream.address());
                    self.routed.insert(upstream.address(), Arc::clone(upstream));
                }
            }
        }
        self.retired.retain(|upstream| 0 < upstream.strong_count());
        for upstream in unused.into_values() {
            upstream.retire();
            self.retired.push(Arc::downgrade(&upstream));
        }
    }

    fn at(&self, address: SocketAddr) -> Vec<Arc<Upstream>> {
        let retired = self.retired.iter().filter_map(Weak::upgrade);
        let all = self.routed.get(&address).cloned().into_iter().chain(retired);
        all.filter(|upstream| upstream.address() == address).collect()
    }
}

impl RouteTable {
    pub(crate) fn new(limits: Limits) -> Self {
        let shared = Shared {
            routes: ArcSwap::default(),
            aliases: Aliases::default(),
            upstreams: Mutex::default(),
            limits,
            changes: watch::Sender::new(()),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Leads a label to a target, whatever it led to before.
    pub fn set(&self, label: &str, target: Target) {
        self.change(|routes, upstreams, limits| {
            let label = label.to_ascii_lowercase();
            let new = route(target, routes.get(&label), upstreams, limits);
            routes.insert(label, new);
        });
    }

    /// Makes a label unknown.
    pub fn remove(&self, label: &str) {
        self.change(|routes, _, _| {
            routes.remove(&label.to_ascii_lowercase());
        });
    }

    /// Replaces all whole host names that lead where a label does, given as host and label.
    /// International names are given as `xn--`. A host under the base domain is never looked up
    /// here.
    pub fn set_aliases(&self, aliases: impl IntoIterator<Item = (String, String)>) {
        self.shared.aliases.replace_all(aliases);
    }

    /// Replaces all labels at once, and leaves aliases alone.
    pub fn replace_all(&self, targets: impl IntoIterator<Item = (String, Target)>) {
        self.change(|routes, upstreams, limits| {
            let old = std::mem::take(routes);
            for (label, target) in targets {
                let label = label.to_ascii_lowercase();
                let new = route(target, old.get(&label), upstreams, limits);
                routes.insert(label, new);
            }
        });
    }

    /// The labels to whose apps requests came since this was asked last, or are under way.
    pub(crate) fn take_visits(&self) -> Vec<String> {
        let routes = self.shared.routes.load();
        let is_visited = |route: &Route| match route {
            Route::App(app) => app.take_visited(),
            Route::Starting { .. }
            | Route::Waking { .. }
            | Route::Asleep { .. }
            | Route::Unavailable { .. } => false,
        };
        routes
            .iter()
            .filter(|(_, route)| is_visited(route))
            .map(|(label, _)| label.clone())
            .collect()
    }

    /// Tells of changes from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.shared.changes.subscribe()
    }

    /// Where a label, in lower case, leads.
    pub(crate) fn find(&self, label: &str) -> Option<Arc<Route>> {
        self.shared.routes.load().get(label).cloned()
    }

    /// The label that a host stands for, which is in lower case and has no dot at its end.
    pub(crate) fn alias(&self, host: &str) -> Option<Arc<str>> {
        self.shared.aliases.label(host)
    }

    pub(crate) async fn drain(&self, address: SocketAddr, limit: Duration) -> Drained {
        let deadline = Instant::now() + limit;
        let upstreams = self.lock().at(address);
        let mut left_over = 0;
        for upstream in upstreams {
            match upstream.drain(deadline.saturating_duration_since(Instant::now())).await {
                Drained::Idle => {}
                Drained::TimedOut { left } => left_over += left,
            }
        }
        if left_over == 0 { Drained::Idle } else { Drained::TimedOut { left: left_over } }
    }

    fn change(&self, change: impl FnOnce(&mut Routes, &mut Upstreams, &Limits)) {
        let mut upstreams = self.lock();
        let mut routes = Routes::clone(&self.shared.routes.load());
        change(&mut routes, &mut upstreams, &self.shared.limits);
        let routes = Arc::new(routes);
        self.shared.routes.store(Arc::clone(&routes));
        // Only now, so that a request that finds its upstream retired finds the new route.
        upstreams.retire_all_but(&routes);
        self.shared.changes.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, Upstreams> {
        self.shared.upstreams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn route(
    target: Target,
    before: Option<&Arc<Route>>,
    upstreams: &mut Upstreams,
    limits: &Limits,
) -> Arc<Route> {
    let visited = matches!(before.map(|route| &**route), Some(Route::App(app)) if app.is_visited());
    Arc::new(match target {
        Target::App { id, addresses } => {
            let mut at = |address| {
                let known = upstreams.routed.entry(address);
                Arc::clone(known.or_insert_with(|| Upstream::new(address, limits)))
            };
            let upstreams = addresses.into_iter().map(&mut at).collect();
            let (next, visited) = (AtomicUsize::new(0), AtomicBool::new(visited));
            Route::App(App { id, upstreams, next, visited })
        }
        Target::Starting { message } => Route::Starting { message },
        Target::Waking { message } => Route::Waking { message },
        Target::Asleep { message } => Route::Asleep { message },
        Target::Unavailable { reason, message } => Route::Unavailable { reason, message },
    })
}
