//! What work cost.

use chrono::{DateTime, Utc};

use crate::{BuildId, Effects, EnvironmentId, Id, IdKind, OrganizationId, ProjectId};

/// What one run of a process tree used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// CPU time, user and system, in microseconds.
    pub cpu_micros: u64,
    /// The most memory it held at once, in bytes.
    pub peak_memory_bytes: u64,
    /// Wall-clock time in milliseconds.
    pub wall_millis: u64,
}

/// One entry of the append-only ledger; at most one for each build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageEvent {
    /// Identifier.
    pub id: UsageEventId,
    /// Who is billed.
    pub organization_id: OrganizationId,
    /// For which project.
    pub project_id: ProjectId,
    /// For which environment.
    pub environment_id: EnvironmentId,
    /// For which build.
    pub build_id: BuildId,
    /// CPU time in microseconds.
    pub cpu_micros: u64,
    /// Whether it is billed.
    pub billable: bool,
    /// When the build ended.
    pub at: DateTime<Utc>,
}

/// Identifier of a [`UsageEvent`].
pub type UsageEventId = Id<UsageEvent>;

impl IdKind for UsageEvent {
    const PREFIX: &'static str = "use";
}

impl UsageEvent {
    /// An entry for a build that has just ended.
    #[must_use]
    pub fn of_build(build: &crate::Build, end: &crate::BuildEnd, fx: Effects<'_>) -> Self {
        Self {
            id: UsageEventId::generate(fx),
            organization_id: build.organization_id,
            project_id: build.project_id,
            environment_id: build.environment_id,
            build_id: build.id,
            cpu_micros: end.usage.cpu_micros,
            billable: end.result.is_billable(),
            at: end.at,
        }
    }
}

/// Sums over a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageTotals {
    /// CPU time of all builds, in microseconds.
    pub cpu_micros: u64,
    /// All builds that ran.
    pub build_count: u64,
    /// CPU time of the billable ones, in microseconds.
    pub billable_cpu_micros: u64,
    /// The billable ones.
    pub billable_build_count: u64,
}
