//! Tells which apps have changed.

use std::{collections::HashMap, sync::Weak, time::Duration};

use windlass_domain::DeploymentId;
use windlass_engine::ObservedApp;
use windlass_engine_kit::{files::names, watch::Wake};

use super::{LOOK, Shared};

/// Changes that come together are looked at together.
const GATHER: Duration = Duration::from_millis(5);

/// Looks at all apps whenever something happens to one, and now and then.
pub(super) async fn watch(shared: Weak<Shared>) {
    let mut known: Option<HashMap<DeploymentId, ObservedApp>> = None;
    let mut wakes: HashMap<DeploymentId, Wake> = HashMap::new();
    let Some(mut folder) = shared.upgrade().map(|shared| shared.names.watch(&shared.layout.apps()))
    else {
        return;
    };
    while let Some(shared) = shared.upgrade() {
        let listed = names::<DeploymentId>(&shared.layout.apps());
        wakes.retain(|deployment, _| listed.contains(deployment));
        for deployment in listed {
            wakes
                .entry(deployment)
                .or_insert_with(|| shared.names.watch(&shared.layout.app(deployment)));
        }
        let now: HashMap<DeploymentId, ObservedApp> =
            shared.observe().await.into_iter().map(|app| (app.deployment, app)).collect();
        if let Some(known) = &known {
            let all = known.keys().chain(now.keys().filter(|id| !known.contains_key(id)));
            for deployment in all.filter(|id| known.get(id) != now.get(id)) {
                shared.changes.tell(*deployment);
            }
        }
        known = Some(now);
        drop(shared);

        let each = wakes.values_mut().map(|wake| Box::pin(wake.wait(LOOK)));
        let any = futures_util::future::select_all(each.chain([Box::pin(folder.wait(LOOK))]));
        any.await;
        tokio::time::sleep(GATHER).await;
    }
}
