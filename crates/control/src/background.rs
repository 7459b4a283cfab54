//! Everything that runs beside the requests.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::{Causes, Control, ControlError, once::KNOWN_AGAIN, telemetry, worker};

/// How often uses of credentials and refusals are written down and the queue is measured.
const HOUSEKEEPING: Duration = Duration::from_secs(5);
/// How many of those rounds lie between two removals of old jobs.
const ROUNDS_BETWEEN_PRUNINGS: u32 = 60;
/// How many of them lie between two times that credentials are written down that nobody knows.
const ROUNDS_OF_STRANGERS: u32 = 12;
/// How long links are listed after they have ended.
const ENDED_LINKS: TimeDelta = TimeDelta::days(7);

impl Control {
    /// Works until `stop`: carries out jobs, keeps what runs in step with what is wanted, keeps
    /// house. Jobs that are under way are given back, so that the next start goes on at once.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::join!(
            worker::run(self, &stop),
            self.reconcile_until(&stop),
            self.follow_credential_changes(&stop),
            self.follow_signing_keys(&stop),
            self.tend_previews_until(&stop),
            self.tend_services_until(&stop),
            self.keep_house(&stop),
        );
        self.inner.stopping.cancel();
        for written in [self.write_key_uses().await, self.write_session_uses().await] {
            if let Err(err) = written {
                tracing::warn!(error = %Causes(&err), "uses of credentials are lost");
            }
        }
        if let Err(err) = self.write_refusals(true).await {
            tracing::warn!(error = %Causes(&err), "refusals are not in the audit log");
        }
    }

    async fn keep_house(&self, stop: &CancellationToken) {
        let mut round = 0_u32;
        while stop.run_until_cancelled(tokio::time::sleep(HOUSEKEEPING)).await.is_some() {
            if let Err(err) = self.keep_house_once(round).await {
                tracing::warn!(error = %Causes(&err), "housekeeping failed");
            }
            round = round.wrapping_add(1);
        }
    }

    async fn keep_house_once(&self, round: u32) -> Result<(), ControlError> {
        self.write_key_uses().await?;
        self.write_session_uses().await?;
        self.write_rehashes().await?;
        self.write_refusals(round.is_multiple_of(ROUNDS_OF_STRANGERS)).await?;
        let now = self.fx().clock.now();
        let depth = self.store().read().await?.jobs().depth(now).await?;
        telemetry::queue_measured(depth, now);
        if round.is_multiple_of(ROUNDS_BETWEEN_PRUNINGS) {
            let mut uow = self.store().write().await?;
            uow.jobs().prune(now - self.settings().job_retention).await?;
            uow.tokens().prune_links(now - ENDED_LINKS).await?;
            uow.once().prune_of_everyone(now - KNOWN_AGAIN).await?;
            uow.audit().prune_of_everyone(now - self.settings().audit_retention).await?;
            uow.login_codes().prune_of_everyone(now).await?;
            let kept = now - self.settings().delivery_retention;
            uow.webhooks().prune_deliveries_of_everyone(kept).await?;
            uow.webhooks().prune_secrets_of_everyone(now).await?;
            uow.sessions().prune(now, now - self.settings().session_idle_limit).await?;
            uow.commit().await?;
        }
        Ok(())
    }
}
