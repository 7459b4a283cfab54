//! Tells which apps have changed.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use bollard::{models::EventMessage, query_parameters::EventsOptions};
use futures_util::{Stream, StreamExt as _};
use windlass_domain::DeploymentId;
use windlass_engine::ObservedApp;

use super::Shared;

/// Changes that come together are looked at together.
const GATHER: Duration = Duration::from_millis(20);
/// How often is looked where nothing tells: containers of other nodes have no events here.
const LOOK: Duration = Duration::from_secs(3);

type Known = HashMap<DeploymentId, ObservedApp>;

/// Looks at all apps whenever something happens to one, and now and then.
pub(super) async fn watch(weak: Weak<Shared>) {
    let mut known: Option<Known> = None;
    let mut events = None;
    loop {
        let Some(shared) = weak.upgrade() else { return };
        if events.is_none() {
            // Before the look, so that nothing happens between the two.
            events = listen(&shared).await;
        }
        known = look(&shared, known).await;
        let checked = shared.health.checked();
        drop(shared);

        let event = async {
            match &mut events {
                Some(events) => events.next().await.is_some_and(|event| event.is_ok()),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            goes_on = event => {
                if !goes_on {
                    events = None;
                }
                tokio::time::sleep(GATHER).await;
            }
            () = checked => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

type Events =
    std::pin::Pin<Box<dyn Stream<Item = Result<EventMessage, bollard::errors::Error>> + Send>>;

async fn listen(shared: &Shared) -> Option<Events> {
    let docker = shared.daemon.docker().await.ok()?;
    let mut filters = shared.config.namespace.filter(None);
    filters.insert("type".to_owned(), vec!["container".to_owned()]);
    let options = EventsOptions { filters: Some(filters), ..EventsOptions::default() };
    Some(Box::pin(docker.events(Some(options))))
}

/// Tells of all that is not as it was known. A daemon that is away changes nothing.
async fn look(shared: &Arc<Shared>, known: Option<Known>) -> Option<Known> {
    let Ok(seen) = shared.look().await else { return known };
    shared.check_new_tasks(&seen);
    let now: Known =
        shared.states(&seen).await.into_iter().map(|app| (app.deployment, app)).collect();
    if let Some(known) = &known {
        let all = known.keys().chain(now.keys().filter(|id| !known.contains_key(id)));
        for deployment in all.filter(|id| known.get(id) != now.get(id)) {
            shared.changes.tell(*deployment);
        }
    }
    Some(now)
}
