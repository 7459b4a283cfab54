//! What the use cases and the durable work tell Prometheus.

use metrics::{counter, gauge, histogram};
use windlass_domain::{Build, BuildState, JobKind};
use windlass_storage::QueueDepth;

use chrono::{DateTime, Utc};

/// A job's attempt has ended.
pub(crate) fn job_attempt_ended(kind: JobKind, outcome: &'static str, attempts: u32) {
    counter!("windlass_job_attempts_total", "kind" => kind.name(), "outcome" => outcome)
        .increment(1);
    histogram!("windlass_job_attempts", "kind" => kind.name()).record(f64::from(attempts));
}

/// Something was refused, and there was no room to write that down.
pub(crate) fn refusal_dropped() {
    counter!("windlass_audit_refusals_dropped_total").increment(1);
}

/// How much work waits.
pub(crate) fn queue_measured(depth: QueueDepth, now: DateTime<Utc>) {
    for (state, count) in [("queued", depth.queued), ("leased", depth.leased), ("dead", depth.dead)]
    {
        gauge!("windlass_jobs", "state" => state).set(approximate(count));
    }
    let age = depth.oldest_due.map_or(0, |due| (now - due).num_milliseconds().max(0));
    gauge!("windlass_job_oldest_due_seconds").set(approximate(age.unsigned_abs()) / 1_000.0);
}

/// A build has ended.
pub(crate) fn build_ended(build: &Build) {
    let BuildState::Ended(end) = &build.state else { return };
    let result = end.result.name();
    counter!("windlass_builds_total", "result" => result).increment(1);
    histogram!("windlass_build_cpu_seconds", "result" => result)
        .record(approximate(end.usage.cpu_micros) / 1_000_000.0);
    histogram!("windlass_build_duration_seconds", "result" => result)
        .record(approximate(end.usage.wall_millis) / 1_000.0);
    let waited = end.started_at.unwrap_or(end.at) - build.created_at;
    histogram!("windlass_build_queue_seconds")
        .record(approximate(waited.num_milliseconds().max(0).unsigned_abs()) / 1_000.0);
}

/// A deployment has become live or has ended. One that was live ends as well: it is counted once
/// under each of the two states.
pub(crate) fn deployment_settled(state: &'static str) {
    counter!("windlass_deployments_total", "state" => state).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point by definition")]
fn approximate(count: u64) -> f64 {
    count as f64
}
