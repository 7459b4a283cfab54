//! The queue of durable work in SQL.

mod row;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Statement, sea_query::Expr,
};
use uuid::Uuid;
use windlass_domain::{EnvironmentId, Job, JobKind, Lease, WorkerId};
use windlass_storage::{JobRepo, Lanes, LeaseRequest, QueueDepth, StoreError};

use self::row::{Column, Entity, Model};
use super::{LockForUpdate, Repo, from_stored, to_stored};
use crate::error::{corrupt, store_error};

/// One unit of work at a time chooses a job, over all servers. SQLite needs no such lock: there
/// is only one writer. Any number will do that is used for nothing else.
const LEASE_LOCK: &str = "SELECT pg_advisory_xact_lock(7311861031042715234)";

/// The job whose turn it is. `$1` is the present, `$2` how many slots an organization has, `$3`
/// whether only jobs with a lane count (0) or only those without (1).
///
/// An expired lease still fills its slot when a *queued* job asks for one, as its worker may yet
/// come back to life. But it is no hindrance to taking over an expired lease: else organizations
/// that have more of them than slots would be stuck.
const NEXT: &str = "
    SELECT candidate.id
    FROM (
        SELECT jobs.id, jobs.lane, COALESCE(
            CASE jobs.state WHEN 'queued' THEN used.leased ELSE used.alive END, 0
        ) AS used_slots
        FROM jobs
        LEFT JOIN (
            SELECT
                organization_id,
                COUNT(*) AS leased,
                COUNT(CASE WHEN leased_until > $1 THEN 1 END) AS alive
            FROM jobs WHERE state = 'leased'
                AND ($3 < 0 OR $3 = CASE WHEN lane IS NULL THEN 1 ELSE 0 END)
            GROUP BY organization_id
        ) AS used ON used.organization_id = jobs.organization_id
        WHERE ((jobs.state = 'queued' AND jobs.run_at <= $1)
            OR (jobs.state = 'leased' AND jobs.leased_until <= $1))
            AND ($3 < 0 OR $3 = CASE WHEN jobs.lane IS NULL THEN 1 ELSE 0 END)
    ) AS candidate
    WHERE candidate.used_slots < $2
        AND NOT EXISTS (
            SELECT 1 FROM jobs AS other
            WHERE other.lane = candidate.lane
                AND other.state = 'leased' AND other.id <> candidate.id
        )
        AND NOT EXISTS (
            SELECT 1 FROM jobs AS other
            WHERE other.lane = candidate.lane
                AND other.state = 'queued' AND other.id < candidate.id
        )
    ORDER BY candidate.used_slots, candidate.id
    LIMIT 1";

impl Repo<'_> {
    async fn next_candidate(&self, request: &LeaseRequest) -> Result<Option<Uuid>, StoreError> {
        let without: i64 = match request.lanes {
            Lanes::Any => -1,
            Lanes::With => 0,
            Lanes::Without => 1,
        };
        let slots = i64::from(request.slots_per_organization);
        let values = [request.now.into(), slots.into(), without.into()];
        let next = Statement::from_sql_and_values(self.db.get_database_backend(), NEXT, values);
        let row = self.db.query_one_raw(next).await.map_err(store_error)?;
        row.map(|row| row.try_get("", "id").map_err(store_error)).transpose()
    }

    /// The earliest time in a column, over jobs in a state, after a certain time.
    async fn earliest_after(
        &self,
        state: &str,
        column: Column,
        after: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let query = Entity::find()
            .select_only()
            .column(column)
            .filter(Column::State.eq(state))
            .filter(column.gt(after))
            .order_by_asc(column);
        query.into_tuple().one(&self.db).await.map_err(store_error)
    }
}

#[async_trait]
impl JobRepo for Repo<'_> {
    #[tracing::instrument(name = "db.job.insert", level = "debug", skip_all, fields(id = %job.id))]
    async fn insert(&mut self, job: &Job) -> Result<(), StoreError> {
        self.insert_row(Model::try_from(job)?).await
    }

    #[tracing::instrument(name = "db.job.lease_next", level = "debug", skip_all)]
    async fn lease_next(&mut self, request: &LeaseRequest) -> Result<Option<Job>, StoreError> {
        if self.db.get_database_backend() == DbBackend::Postgres {
            self.db.execute_unprepared(LEASE_LOCK).await.map_err(store_error)?;
        }
        while let Some(id) = self.next_candidate(request).await? {
            let query = Entity::find_by_id(id).lock_for_update();
            let Some(job) = self.find_row::<_, Job>(query).await? else { continue };
            // Refused when somebody has cancelled or extended it while this waited for the row;
            // then it is no candidate any more.
            if let Ok(job) = job.lease(request.worker.clone(), request.until, request.now) {
                self.update_row(Model::try_from(&job)?).await?;
                return Ok(Some(job));
            }
        }
        Ok(None)
    }

    #[tracing::instrument(name = "db.job.find_leased_for_update", level = "debug", skip(self))]
    async fn find_leased_for_update(&mut self, lease: Lease) -> Result<Option<Job>, StoreError> {
        let query = Entity::find_by_id(lease.job_id.to_uuid())
            .filter(Column::State.eq("leased"))
            .filter(Column::Fence.eq(to_stored(lease.fence)))
            .lock_for_update();
        self.find_row(query).await
    }

    #[tracing::instrument(name = "db.job.list_unfinished", level = "debug", skip(self))]
    async fn list_unfinished_for_update(
        &mut self,
        lane: EnvironmentId,
    ) -> Result<Vec<Job>, StoreError> {
        let query = Entity::find()
            .filter(Column::Lane.eq(lane.to_uuid()))
            .filter(Column::State.is_in(["queued", "leased"]))
            .order_by_asc(Column::Id)
            .lock_for_update();
        self.list_rows(query).await
    }

    #[tracing::instrument(name = "db.job.find_queued", level = "debug", skip(self))]
    async fn find_queued_for_update(&mut self, kind: JobKind) -> Result<Option<Job>, StoreError> {
        let kind = serde_json::to_string(&kind).map_err(corrupt(row::TABLE))?;
        let query = Entity::find()
            .filter(Column::State.eq("queued"))
            .filter(Column::Kind.eq(kind))
            .order_by_asc(Column::Id)
            .lock_for_update();
        self.find_row(query).await
    }

    #[tracing::instrument(name = "db.job.update", level = "debug", skip_all, fields(id = %job.id))]
    async fn update(&mut self, job: &Job) -> Result<(), StoreError> {
        self.update_row(Model::try_from(job)?).await
    }

    #[tracing::instrument(name = "db.job.expire_leases_of", level = "debug", skip(self))]
    async fn expire_leases_of(
        &mut self,
        worker: &WorkerId,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let expired = Entity::update_many()
            .col_expr(Column::LeasedUntil, Expr::value(now))
            .filter(Column::State.eq("leased"))
            .filter(Column::Worker.eq(worker.as_str()))
            .filter(Column::LeasedUntil.gt(now))
            .exec(&self.db)
            .await
            .map_err(store_error)?;
        Ok(expired.rows_affected)
    }

    #[tracing::instrument(name = "db.job.depth", level = "debug", skip(self))]
    async fn depth(&mut self, now: DateTime<Utc>) -> Result<QueueDepth, StoreError> {
        let query = Entity::find()
            .select_only()
            .column(Column::State)
            .column_as(Column::Id.count(), "jobs")
            .filter(Column::State.is_in(["queued", "leased", "dead"]))
            .group_by(Column::State);
        let counts: Vec<(String, i64)> =
            query.into_tuple().all(&self.db).await.map_err(store_error)?;

        let mut depth = QueueDepth::default();
        for (state, count) in counts {
            let count = from_stored(count, row::TABLE, "id")?;
            match state.as_str() {
                "queued" => depth.queued = count,
                "leased" => depth.leased = count,
                _ => depth.dead = count,
            }
        }
        let due = Entity::find()
            .select_only()
            .column(Column::RunAt)
            .filter(Column::State.eq("queued"))
            .filter(Column::RunAt.lte(now))
            .order_by_asc(Column::RunAt);
        depth.oldest_due = due.into_tuple().one(&self.db).await.map_err(store_error)?;
        Ok(depth)
    }

    #[tracing::instrument(name = "db.job.next_due", level = "debug", skip(self))]
    async fn next_due(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let due = self.earliest_after("queued", Column::RunAt, now).await?;
        let expiry = self.earliest_after("leased", Column::LeasedUntil, now).await?;
        Ok(due.into_iter().chain(expiry).min())
    }

    #[tracing::instrument(name = "db.job.prune", level = "debug", skip(self))]
    async fn prune(&mut self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let pruned = Entity::delete_many()
            .filter(Column::State.is_in(["succeeded", "cancelled"]))
            .filter(Column::EndedAt.lt(before))
            .exec(&self.db)
            .await
            .map_err(store_error)?;
        Ok(pruned.rows_affected)
    }
}
