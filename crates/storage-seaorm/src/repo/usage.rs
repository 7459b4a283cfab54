//! The usage ledger in SQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, sea_query::Func};
use windlass_domain::{OrganizationId, ProjectId, UsageEvent, UsageTotals};
use windlass_storage::{StoreError, UsageRepo};

use self::row::{Column, Entity, Model};
use super::{Repo, from_stored, to_stored};
use crate::error::store_error;

const TABLE: &str = "usage_events";

#[async_trait]
impl UsageRepo for Repo<'_> {
    #[tracing::instrument(name = "db.usage.insert", level = "debug", skip_all, fields(id = %event.id))]
    async fn insert(&mut self, event: &UsageEvent) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(Model::from(event)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("build")) }
    }

    #[tracing::instrument(name = "db.usage.totals", level = "debug", skip(self, only))]
    async fn totals(
        &mut self,
        organization: OrganizationId,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        only: Option<&[ProjectId]>,
    ) -> Result<UsageTotals, StoreError> {
        // PostgreSQL adds integers up to a decimal number, so the sum is turned back.
        let cpu_micros = Func::sum(Column::CpuMicros.into_expr()).cast_as("bigint");
        let mut query = Entity::find()
            .select_only()
            .column(Column::Billable)
            .column_as(cpu_micros, "cpu_micros")
            .column_as(Column::Id.count(), "builds")
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .group_by(Column::Billable);
        if let Some(from) = from {
            query = query.filter(Column::At.gte(from));
        }
        if let Some(to) = to {
            query = query.filter(Column::At.lt(to));
        }
        if let Some(only) = only {
            query = query.filter(Column::ProjectId.is_in(only.iter().map(|id| id.to_uuid())));
        }
        let sums: Vec<(bool, i64, i64)> =
            query.into_tuple().all(&self.db).await.map_err(store_error)?;

        let mut totals = UsageTotals::default();
        for (billable, cpu_micros, builds) in sums {
            let cpu_micros: u64 = from_stored(cpu_micros, TABLE, "cpu_micros")?;
            let builds: u64 = from_stored(builds, TABLE, "id")?;
            totals.cpu_micros += cpu_micros;
            totals.build_count += builds;
            if billable {
                totals.billable_cpu_micros += cpu_micros;
                totals.billable_build_count += builds;
            }
        }
        Ok(totals)
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "usage_events")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) project_id: Uuid,
        pub(super) environment_id: Uuid,
        pub(super) build_id: Uuid,
        pub(super) cpu_micros: i64,
        pub(super) billable: bool,
        pub(super) at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&UsageEvent> for Model {
    fn from(event: &UsageEvent) -> Self {
        let UsageEvent {
            id,
            organization_id,
            project_id,
            environment_id,
            build_id,
            cpu_micros,
            billable,
            at,
        } = event;
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            project_id: project_id.to_uuid(),
            environment_id: environment_id.to_uuid(),
            build_id: build_id.to_uuid(),
            cpu_micros: to_stored(*cpu_micros),
            billable: *billable,
            at: *at,
        }
    }
}
