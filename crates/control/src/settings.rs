//! Everything about the use cases that can be configured.

use std::time::Duration;

use chrono::TimeDelta;
use windlass_auth::VerifierOptions;
use windlass_domain::Backoff;
use windlass_engine::{AppLimits, BuildLimits};

use crate::{AttemptLimits, Plans};

/// Everything about the use cases that can be configured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether projects may name repositories on the server's own disk.
    pub allow_local_git: bool,
    /// How many jobs this server works on at once.
    pub workers: usize,
    /// How many jobs of one organization are worked on at once, over all servers.
    pub slots_per_organization: u32,
    /// How long a job stays with a server that has fallen silent.
    pub lease: Duration,
    /// How often a job is begun before it is given up.
    pub job_attempts: u32,
    /// How long to wait between two attempts.
    pub job_backoff: Backoff,
    /// How long finished jobs are kept.
    pub job_retention: TimeDelta,
    /// How often a build that was lost through a fault of ours is repeated.
    pub build_restarts: u32,
    /// How often to look for changes that no signal told of.
    pub poll: Duration,
    /// How often to compare what is wanted with what runs.
    pub reconcile: Duration,
    /// How often to look which previews have had their time, and which rest.
    pub tend_previews: Duration,
    /// How long deliveries of webhooks are kept, and known again.
    pub delivery_retention: TimeDelta,
    /// What a build may use, unless its project says otherwise.
    pub build_limits: BuildLimits,
    /// What an app may use, unless its project says otherwise.
    pub app_limits: AppLimits,
    /// What organizations may use.
    pub plans: Plans,
    /// How long an app may take to become healthy.
    pub start_timeout: Duration,
    /// How long requests to a replaced app may go on.
    pub drain_timeout: Duration,
    /// How long an app that was asked to end may take.
    pub stop_grace: Duration,
    /// How many builds of each environment are kept to go back to.
    pub kept_builds: u32,
    /// How many lines of each environment's app log are kept.
    pub app_log_lines: u64,
    /// How long lines of the audit log are kept.
    pub audit_retention: TimeDelta,
    /// The caches of verified API keys, tokens and sessions.
    pub verified_keys: VerifierOptions,
    /// How long a session lasts.
    pub session_life: TimeDelta,
    /// After how long without use a session ends.
    pub session_idle_limit: TimeDelta,
    /// How often somebody may try to sign in.
    pub sign_in_attempts: AttemptLimits,
}
