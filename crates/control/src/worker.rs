//! Carries out jobs: leases them, keeps the leases alive, writes down how they ended.

mod attempt;
mod build;
mod deploy;
mod destroy;
mod hooks;
mod load;
mod pause;
mod report;
mod reset;
mod start;
mod stop;

pub(crate) use self::load::{
    LoadError, app_limits, find_manifest, load_app_request, wanted_services,
};

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use windlass_domain::Job;
use windlass_storage::{Lanes, LeaseRequest, Signal, StoreError};

use self::attempt::Attempt;
use crate::{Causes, Control, watch::Watch};

/// How many jobs without a lane this server works on at once.
const ERRANDS: usize = 2;

/// Leases and carries out jobs until `stop`; then gives back those that are under way.
pub(crate) async fn run(control: &Control, stop: &CancellationToken) {
    forget_former_life(control, stop).await;
    tokio::join!(
        work(control, stop, Lanes::With, control.settings().workers),
        // What is told to others keeps no deployment waiting, nor the other way round.
        work(control, stop, Lanes::Without, ERRANDS),
    );
}

/// Works on so many jobs at once.
async fn work(control: &Control, stop: &CancellationToken, lanes: Lanes, most: usize) {
    let mut attempts: JoinSet<()> = JoinSet::new();
    let mut watch = Watch::new(control, Signal::Jobs);
    while !stop.is_cancelled() {
        while attempts.len() < most {
            match lease_next(control, lanes).await {
                Ok(Some(job)) => {
                    let (control, stop) = (control.clone(), stop.clone());
                    attempts.spawn(async move { Attempt::new(control, job).run(&stop).await });
                }
                Ok(None) => break,
                Err(err) => {
                    tracing::warn!(error = %Causes(&err), "cannot lease jobs");
                    break;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(_) = attempts.join_next() => {}
            () = watch.changed() => {}
            () = until_next_due(control) => {}
        }
    }
    while attempts.join_next().await.is_some() {}
}

/// What this server had leased before it was killed, nobody works on.
async fn forget_former_life(control: &Control, stop: &CancellationToken) {
    let forget = async {
        let mut uow = control.store().write().await?;
        let now = control.fx().clock.now();
        let count = uow.jobs().expire_leases_of(&control.inner.worker, now).await?;
        uow.commit().await?;
        Ok::<_, StoreError>(count)
    };
    match stop.run_until_cancelled(forget).await {
        Some(Ok(0)) | None => {}
        Some(Ok(count)) => tracing::info!(count, "taking up jobs from before the restart"),
        // They expire by themselves, only later.
        Some(Err(err)) => {
            tracing::warn!(error = %Causes(&err), "cannot expire old leases");
        }
    }
}

async fn lease_next(control: &Control, lanes: Lanes) -> Result<Option<Job>, StoreError> {
    let now = control.fx().clock.now();
    let request = LeaseRequest {
        worker: control.inner.worker.clone(),
        now,
        until: lease_end(control, now),
        slots_per_organization: control.settings().slots_per_organization,
        lanes,
    };
    let mut uow = control.store().write().await?;
    let job = uow.jobs().lease_next(&request).await?;
    if job.is_some() {
        uow.commit().await?;
    }
    Ok(job)
}

fn lease_end(control: &Control, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::from_std(control.settings().lease).unwrap_or(TimeDelta::MAX)
}

async fn until_next_due(control: &Control) {
    let now = control.fx().clock.now();
    let next_due = async { control.store().read().await?.jobs().next_due(now).await };
    match next_due.await {
        Ok(Some(due)) => {
            let wait = (due - now).to_std().unwrap_or_default();
            tokio::time::sleep(wait.max(Duration::from_millis(20))).await;
        }
        // The watch looks again soon enough.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}
