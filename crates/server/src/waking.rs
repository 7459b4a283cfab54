//! Wakes apps that sleep when the ingress says that somebody wants them.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use windlass_control::{Causes, Control, wake_environment};
use windlass_domain::HostLabel;
use windlass_ingress::Ingress;

/// Wakes apps until `stop`. One that is called again while it is being woken is not woken twice.
pub(crate) async fn wake_on_request(ingress: &Ingress, control: &Control, stop: CancellationToken) {
    let mut calls = ingress.wake_calls();
    let under_way: Arc<Mutex<HashSet<HostLabel>>> = Arc::default();
    while let Some(call) = stop.run_until_cancelled(calls.recv()).await {
        let label = match call {
            Ok(label) => label,
            // Whoever waits calls again.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let Ok(host) = label.parse::<HostLabel>() else { continue };
        if !lock(&under_way).insert(host.clone()) {
            continue;
        }
        let (control, under_way) = (control.clone(), Arc::clone(&under_way));
        tokio::spawn(async move {
            if let Err(err) = wake_environment(&control, &host).await {
                tracing::warn!(%host, error = %Causes(&err), "cannot wake an environment");
            }
            lock(&under_way).remove(&host);
        });
    }
}

fn lock(marks: &Mutex<HashSet<HostLabel>>) -> MutexGuard<'_, HashSet<HostLabel>> {
    marks.lock().unwrap_or_else(PoisonError::into_inner)
}
