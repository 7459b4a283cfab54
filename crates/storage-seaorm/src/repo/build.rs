//! Builds in SQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Select,
    Statement, sea_query::Func,
};
use windlass_domain::{
    Build, BuildEnd, BuildId, BuildResult, BuildState, EnvironmentId, OrganizationId, ProjectId,
    Usage,
};
use windlass_storage::{BuildRepo, BuildTime, StoreError, StoredManifest};

use self::row::{Column, Entity, Model};
use super::{LockForUpdate, Repo, from_stored, required, to_stored};
use crate::error::{BadColumn, corrupt, store_error};

const TABLE: &str = "builds";

/// `$1` is how many deployments to keep for each environment.
const NEEDED: &str = "
    SELECT build_id FROM deployments
    WHERE state IN ('queued', 'building', 'deploying', 'live')
    UNION
    SELECT deployments.build_id FROM environments
    JOIN deployments ON deployments.id IN (
        SELECT newest.id FROM deployments AS newest
        WHERE newest.environment_id = environments.id
            AND newest.state IN ('live', 'superseded')
        ORDER BY newest.id DESC LIMIT $1
    )
    WHERE environments.state <> 'destroyed'";

fn find_one(organization: OrganizationId, id: BuildId) -> Select<Entity> {
    Entity::find_by_id(id.to_uuid()).filter(Column::OrganizationId.eq(organization.to_uuid()))
}

#[async_trait]
impl BuildRepo for Repo<'_> {
    #[tracing::instrument(name = "db.build.find", level = "debug", skip(self))]
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: BuildId,
    ) -> Result<Option<Build>, StoreError> {
        self.find_row(find_one(organization, id)).await
    }

    #[tracing::instrument(name = "db.build.find_for_update", level = "debug", skip(self))]
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: BuildId,
    ) -> Result<Option<Build>, StoreError> {
        self.find_row(find_one(organization, id).lock_for_update()).await
    }

    #[tracing::instrument(name = "db.build.list_needed", level = "debug", skip(self))]
    async fn list_needed_of_everyone(
        &mut self,
        per_environment: u32,
    ) -> Result<Vec<BuildId>, StoreError> {
        let backend = self.db.get_database_backend();
        let keep = i64::from(per_environment).into();
        let needed = Statement::from_sql_and_values(backend, NEEDED, [keep]);
        let rows = self.db.query_all_raw(needed).await.map_err(store_error)?;
        rows.iter()
            .map(|row| row.try_get("", "build_id").map(BuildId::from_uuid).map_err(store_error))
            .collect()
    }

    #[tracing::instrument(name = "db.build.time_since", level = "debug", skip(self))]
    async fn time_since(
        &mut self,
        organization: OrganizationId,
        from: DateTime<Utc>,
    ) -> Result<BuildTime, StoreError> {
        let of_organization =
            || Entity::find().filter(Column::OrganizationId.eq(organization.to_uuid()));
        // PostgreSQL adds integers up to a decimal number, so the sum is turned back.
        let sum = Func::sum(Column::WallMillis.into_expr()).cast_as("bigint");
        let ended = of_organization()
            .filter(Column::EndedAt.gte(from))
            .select_only()
            .column_as(sum, "wall_millis");
        let ended: Option<Option<i64>> =
            ended.into_tuple().one(&self.db).await.map_err(store_error)?;
        let running = of_organization()
            .filter(Column::EndedAt.is_null())
            .filter(Column::StartedAt.is_not_null())
            .select_only()
            .column(Column::StartedAt);
        let running_since = running.into_tuple().all(&self.db).await.map_err(store_error)?;
        let ended_millis = from_stored(ended.flatten().unwrap_or_default(), TABLE, "wall_millis")?;
        Ok(BuildTime { ended_millis, running_since })
    }

    #[tracing::instrument(name = "db.build.find_manifest", level = "debug", skip(self))]
    async fn find_manifest(
        &mut self,
        organization: OrganizationId,
        id: BuildId,
    ) -> Result<Option<StoredManifest>, StoreError> {
        let query = manifest::Entity::find_by_id(id.to_uuid())
            .filter(manifest::Column::OrganizationId.eq(organization.to_uuid()));
        self.find_row(query).await
    }

    #[tracing::instrument(name = "db.build.insert_manifest", level = "debug", skip(self, manifest))]
    async fn insert_manifest(
        &mut self,
        organization: OrganizationId,
        id: BuildId,
        manifest: &StoredManifest,
    ) -> Result<(), StoreError> {
        let StoredManifest { file, text } = manifest.clone();
        let (build_id, organization_id) = (id.to_uuid(), organization.to_uuid());
        self.insert_row(manifest::Model { build_id, organization_id, file, text }).await
    }

    #[tracing::instrument(name = "db.build.insert", level = "debug", skip_all, fields(id = %build.id))]
    async fn insert(&mut self, build: &Build) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(Model::from(build)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("number")) }
    }

    #[tracing::instrument(name = "db.build.update", level = "debug", skip_all, fields(id = %build.id))]
    async fn update(&mut self, build: &Build) -> Result<(), StoreError> {
        self.update_row(Model::from(build)).await
    }
}

mod manifest {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "manifests")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) build_id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) file: String,
        pub(super) text: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl TryFrom<manifest::Model> for StoredManifest {
    type Error = StoreError;

    fn try_from(row: manifest::Model) -> Result<Self, Self::Error> {
        let manifest::Model { build_id: _, organization_id: _, file, text } = row;
        Ok(Self { file, text })
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "builds")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) project_id: Uuid,
        pub(super) environment_id: Uuid,
        pub(super) number: i64,
        pub(super) commit_id: Option<String>,
        pub(super) restart_of: Option<Uuid>,
        pub(super) state: String,
        pub(super) started_at: Option<DateTimeUtc>,
        pub(super) ended_at: Option<DateTimeUtc>,
        pub(super) message: Option<String>,
        pub(super) cpu_micros: Option<i64>,
        pub(super) peak_memory_bytes: Option<i64>,
        pub(super) wall_millis: Option<i64>,
        pub(super) created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&Build> for Model {
    fn from(build: &Build) -> Self {
        let Build {
            id,
            organization_id,
            project_id,
            environment_id,
            number,
            commit,
            restart_of,
            state,
            created_at,
        } = build;
        let row = Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            project_id: project_id.to_uuid(),
            environment_id: environment_id.to_uuid(),
            number: to_stored(*number),
            commit_id: commit.as_ref().map(ToString::to_string),
            restart_of: restart_of.map(BuildId::to_uuid),
            state: state.name().to_owned(),
            started_at: None,
            ended_at: None,
            message: None,
            cpu_micros: None,
            peak_memory_bytes: None,
            wall_millis: None,
            created_at: *created_at,
        };
        match state {
            BuildState::Pending => row,
            BuildState::Running { since } => Self { started_at: Some(*since), ..row },
            BuildState::Ended(end) => {
                // The result is the name of the state.
                let BuildEnd { started_at, at, result: _, message, usage } = end;
                let Usage { cpu_micros, peak_memory_bytes, wall_millis } = *usage;
                Self {
                    started_at: *started_at,
                    ended_at: Some(*at),
                    message: Some(message.clone()),
                    cpu_micros: Some(to_stored(cpu_micros)),
                    peak_memory_bytes: Some(to_stored(peak_memory_bytes)),
                    wall_millis: Some(to_stored(wall_millis)),
                    ..row
                }
            }
        }
    }
}

impl TryFrom<Model> for Build {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let state = state_of(&row)?;
        let Model {
            id,
            organization_id,
            project_id,
            environment_id,
            number,
            commit_id,
            restart_of,
            state: _,
            started_at: _,
            ended_at: _,
            message: _,
            cpu_micros: _,
            peak_memory_bytes: _,
            wall_millis: _,
            created_at,
        } = row;
        let commit = commit_id.map(|commit| commit.parse()).transpose();
        Ok(Self {
            id: BuildId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            project_id: ProjectId::from_uuid(project_id),
            environment_id: EnvironmentId::from_uuid(environment_id),
            number: from_stored(number, TABLE, "number")?,
            commit: commit.map_err(corrupt(TABLE))?,
            restart_of: restart_of.map(BuildId::from_uuid),
            state,
            created_at,
        })
    }
}

fn state_of(row: &Model) -> Result<BuildState, StoreError> {
    let count = |value, column| from_stored(required(value, TABLE, column)?, TABLE, column);
    match row.state.as_str() {
        "pending" => Ok(BuildState::Pending),
        "running" => {
            Ok(BuildState::Running { since: required(row.started_at, TABLE, "started_at")? })
        }
        name => {
            let result = BuildResult::ALL.into_iter().find(|result| result.name() == name);
            Ok(BuildState::Ended(BuildEnd {
                started_at: row.started_at,
                at: required(row.ended_at, TABLE, "ended_at")?,
                result: result.ok_or_else(|| corrupt(TABLE)(BadColumn("state")))?,
                message: required(row.message.clone(), TABLE, "message")?,
                usage: Usage {
                    cpu_micros: count(row.cpu_micros, "cpu_micros")?,
                    peak_memory_bytes: count(row.peak_memory_bytes, "peak_memory_bytes")?,
                    wall_millis: count(row.wall_millis, "wall_millis")?,
                },
            }))
        }
    }
}
