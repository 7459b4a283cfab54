//! Repository of durable work.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_domain::{EnvironmentId, Job, JobKind, Lease, WorkerId};

use crate::StoreError;

/// What a worker asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// Who asks.
    pub worker: WorkerId,
    /// The present.
    pub now: DateTime<Utc>,
    /// Until when the worker wants it, unless it asks for longer.
    pub until: DateTime<Utc>,
    /// How many jobs of one organization may be leased at once, over all workers.
    pub slots_per_organization: u32,
    /// Which jobs are looked at, for this one and for the slots.
    pub lanes: Lanes,
}

/// Jobs by whether they have a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lanes {
    /// All jobs.
    Any,
    /// Those that run one after another in their environment.
    With,
    /// Those that run beside all others.
    Without,
}

/// How much work waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueDepth {
    /// Jobs that wait, due or not.
    pub queued: u64,
    /// Jobs that a worker has.
    pub leased: u64,
    /// Jobs that were given up and are kept.
    pub dead: u64,
    /// When the longest waiting of the due ones became due.
    pub oldest_due: Option<DateTime<Utc>>,
}

/// Stores durable work.
#[async_trait]
pub trait JobRepo: Send {
    /// Adds a job.
    async fn insert(&mut self, job: &Job) -> Result<(), StoreError>;

    /// Takes the next job that is free: due and queued, or leased by a worker that fell silent.
    ///
    /// Never a job of an organization that has all its slots leased, never one in whose lane
    /// (environment) another job is leased, and within a lane never one before an older one that
    /// is not finished. Among the rest, the organization with the fewest leased jobs comes first,
    /// then the oldest job. Two units of work never take the same job, the same lane or more
    /// slots than there are: the second waits for the first to end.
    async fn lease_next(&mut self, request: &LeaseRequest) -> Result<Option<Job>, StoreError>;

    /// The job, to be changed by this unit of work, if the lease is still the newest one; `None`
    /// when somebody else has taken it over. Whatever a worker writes, it asks this first, in the
    /// same unit of work.
    async fn find_leased_for_update(&mut self, lease: Lease) -> Result<Option<Job>, StoreError>;

    /// Jobs of a lane that are not finished, to be changed by this unit of work, oldest first.
    async fn list_unfinished_for_update(
        &mut self,
        lane: EnvironmentId,
    ) -> Result<Vec<Job>, StoreError>;

    /// A job of this kind that waits, to be changed by this unit of work: nobody begins it before
    /// that has ended.
    async fn find_queued_for_update(&mut self, kind: JobKind) -> Result<Option<Job>, StoreError>;

    /// Replaces a stored job.
    async fn update(&mut self, job: &Job) -> Result<(), StoreError>;

    /// Makes every lease of this worker expire now: it has just started and works on nothing.
    async fn expire_leases_of(
        &mut self,
        worker: &WorkerId,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError>;

    /// How much work waits.
    async fn depth(&mut self, now: DateTime<Utc>) -> Result<QueueDepth, StoreError>;

    /// When the next queued job becomes due or the next lease expires, after `now`.
    async fn next_due(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Removes succeeded and cancelled jobs that ended before this time.
    async fn prune(&mut self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
