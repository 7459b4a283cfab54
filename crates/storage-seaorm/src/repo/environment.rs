//! Environments in SQL.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QuerySelect, Select, sea_query::Expr,
};
use windlass_domain::{
    BranchName, DeploymentId, Environment, EnvironmentId, EnvironmentKind, EnvironmentState,
    HostLabel, OrganizationId, Page, PageRequest, PausedBy, Previews, Project, ProjectId,
    Resources,
};
use windlass_storage::{EnvironmentRepo, Resting, StoreError};

use self::row::{Column, Entity, Model};
use super::{LockForUpdate, Repo, from_stored, project, required, to_stored};
use crate::error::{BadColumn, corrupt, store_error};

const TABLE: &str = "environments";

fn find_one(organization: OrganizationId, id: EnvironmentId) -> Select<Entity> {
    Entity::find_by_id(id.to_uuid()).filter(Column::OrganizationId.eq(organization.to_uuid()))
}

/// Environments that are not destroyed. Written out, or the index would not be used.
fn find_present() -> Select<Entity> {
    Entity::find().filter(Expr::cust("state <> 'destroyed'"))
}

/// Previews that are not destroyed. Written out for the same reason.
fn find_previews() -> Select<Entity> {
    Entity::find().filter(Expr::cust("kind = 'preview' AND state <> 'destroyed'"))
}

/// How many environments each project of an organization has that are not destroyed.
pub(super) fn count_present_by_project(organization: OrganizationId) -> Select<Entity> {
    find_present()
        .filter(Column::OrganizationId.eq(organization.to_uuid()))
        .select_only()
        .column(Column::ProjectId)
        .column_as(Column::Id.count(), "environments")
        .group_by(Column::ProjectId)
}

/// What the apps of an organization's environments may use that have something of their own.
pub(super) fn find_own_resources(organization: OrganizationId) -> Select<Entity> {
    let has_own =
        Condition::any().add(Column::CpuMillis.is_not_null()).add(Column::MemoryMb.is_not_null());
    find_present().filter(Column::OrganizationId.eq(organization.to_uuid())).filter(has_own)
}

#[async_trait]
impl EnvironmentRepo for Repo<'_> {
    #[tracing::instrument(name = "db.environment.find", level = "debug", skip(self))]
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError> {
        self.find_row(find_one(organization, id)).await
    }

    #[tracing::instrument(name = "db.environment.find_for_update", level = "debug", skip(self))]
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError> {
        self.find_row(find_one(organization, id).lock_for_update()).await
    }

    #[tracing::instrument(
        name = "db.environment.find_of_branch_for_update",
        level = "debug",
        skip(self)
    )]
    async fn find_of_branch_for_update(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        branch: &BranchName,
    ) -> Result<Option<Environment>, StoreError> {
        let query = find_present()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(Column::ProjectId.eq(project.to_uuid()))
            .filter(Column::Branch.eq(branch.as_str()));
        self.find_row(query.lock_for_update()).await
    }

    #[tracing::instrument(name = "db.environment.find_at", level = "debug", skip(self))]
    async fn find_at_of_everyone(
        &mut self,
        host: &HostLabel,
    ) -> Result<Option<Environment>, StoreError> {
        self.find_row(find_present().filter(Column::Host.eq(host.as_str()))).await
    }

    #[tracing::instrument(name = "db.environment.count_previews", level = "debug", skip(self))]
    async fn count_previews(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<u64, StoreError> {
        let query = find_previews()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(Column::ProjectId.eq(project.to_uuid()));
        query.count(&self.db).await.map_err(store_error)
    }

    #[tracing::instrument(name = "db.environment.list_previews", level = "debug", skip_all)]
    async fn list_previews_of_everyone(&mut self) -> Result<Vec<Resting>, StoreError> {
        let with_previews = find_previews().select_only().column(Column::ProjectId);
        let projects: Vec<Project> = self.list_rows(project::find_among(with_previews)).await?;
        let previews: HashMap<ProjectId, Previews> =
            projects.into_iter().map(|project| (project.id, project.settings.previews)).collect();
        let environments: Vec<Environment> = self.list_rows(find_previews()).await?;
        let resting = environments.into_iter().filter_map(|environment| {
            let previews = previews.get(&environment.project_id)?.clone();
            Some(Resting { environment, previews })
        });
        Ok(resting.collect())
    }

    #[tracing::instrument(name = "db.environment.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        page: PageRequest<EnvironmentId>,
    ) -> Result<Page<Environment>, StoreError> {
        let query = find_present()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(Column::ProjectId.eq(project.to_uuid()));
        self.list_page(query, Column::Id, page).await
    }

    #[tracing::instrument(name = "db.environment.list_present", level = "debug", skip_all)]
    async fn list_present_of_everyone(&mut self) -> Result<Vec<Environment>, StoreError> {
        self.list_rows(find_present()).await
    }

    #[tracing::instrument(name = "db.environment.insert", level = "debug", skip_all, fields(id = %environment.id))]
    async fn insert(&mut self, environment: &Environment) -> Result<(), StoreError> {
        if self.try_insert_row(Model::from(environment)).await? {
            return Ok(());
        }
        let same_branch = find_present()
            .filter(Column::ProjectId.eq(environment.project_id.to_uuid()))
            .filter(Column::Branch.eq(environment.branch.as_str()))
            .one(&self.db)
            .await
            .map_err(store_error)?;
        Err(StoreError::Taken(if same_branch.is_some() { "branch" } else { "host" }))
    }

    #[tracing::instrument(name = "db.environment.update", level = "debug", skip_all, fields(id = %environment.id))]
    async fn update(&mut self, environment: &Environment) -> Result<(), StoreError> {
        let mut row = Model::from(environment).into_active_model().reset_all();
        row.visited_at = ActiveValue::NotSet;
        let update = Entity::update(row).exec_without_returning(&self.db).await;
        update.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.environment.note_visits", level = "debug", skip_all, fields(count = visits.len()))]
    async fn note_visits(
        &mut self,
        visits: &[(EnvironmentId, DateTime<Utc>)],
    ) -> Result<(), StoreError> {
        // Everybody locks the rows in the same order, or two batches could wait for each other.
        let mut visits = visits.to_vec();
        visits.sort_unstable();
        for (id, at) in visits {
            let is_older =
                Condition::any().add(Column::VisitedAt.is_null()).add(Column::VisitedAt.lt(at));
            Entity::update_many()
                .col_expr(Column::VisitedAt, Expr::value(at))
                .filter(Column::Id.eq(id.to_uuid()))
                .filter(is_older)
                .exec(&self.db)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }
}

fn resources(cpu_millis: Option<i64>, memory_mb: Option<i64>) -> Result<Resources, StoreError> {
    let column =
        |value: Option<i64>, name| value.map(|value| from_stored(value, TABLE, name)).transpose();
    Ok(Resources {
        cpu_millis: column(cpu_millis, "cpu_millis")?,
        memory_mb: column(memory_mb, "memory_mb")?,
    })
}

fn name_of(by: PausedBy) -> &'static str {
    match by {
        PausedBy::Person => "person",
        PausedBy::Idleness => "idleness",
    }
}

pub(super) mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "environments")]
    pub(in crate::repo) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(in crate::repo) id: Uuid,
        pub(in crate::repo) organization_id: Uuid,
        pub(in crate::repo) project_id: Uuid,
        pub(in crate::repo) branch: String,
        pub(in crate::repo) kind: String,
        pub(in crate::repo) host: String,
        pub(in crate::repo) cpu_millis: Option<i64>,
        pub(in crate::repo) memory_mb: Option<i64>,
        pub(in crate::repo) state: String,
        pub(in crate::repo) reason: Option<String>,
        pub(in crate::repo) paused_by: Option<String>,
        pub(in crate::repo) destroyed_at: Option<DateTimeUtc>,
        pub(in crate::repo) live_deployment: Option<Uuid>,
        pub(in crate::repo) was_live: bool,
        pub(in crate::repo) is_set_up: bool,
        pub(in crate::repo) refreshed_at: Option<DateTimeUtc>,
        pub(in crate::repo) visited_at: Option<DateTimeUtc>,
        pub(in crate::repo) created_at: DateTimeUtc,
        pub(in crate::repo) updated_at: DateTimeUtc,
        pub(in crate::repo) version: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&Environment> for Model {
    fn from(environment: &Environment) -> Self {
        let Environment {
            id,
            organization_id,
            project_id,
            branch,
            kind,
            host,
            resources: Resources { cpu_millis, memory_mb },
            state,
            live_deployment,
            was_live,
            is_set_up,
            refreshed_at,
            visited_at,
            created_at,
            updated_at,
            version,
        } = environment;
        let paused_by = match state {
            EnvironmentState::Paused { by } => Some(name_of(*by).to_owned()),
            EnvironmentState::Provisioning
            | EnvironmentState::Active
            | EnvironmentState::Resetting
            | EnvironmentState::Failed { .. }
            | EnvironmentState::Destroying
            | EnvironmentState::Destroyed { .. } => None,
        };
        let (reason, destroyed_at) = match state {
            EnvironmentState::Provisioning
            | EnvironmentState::Active
            | EnvironmentState::Paused { .. }
            | EnvironmentState::Resetting
            | EnvironmentState::Destroying => (None, None),
            EnvironmentState::Failed { reason } => (Some(reason.clone()), None),
            EnvironmentState::Destroyed { at } => (None, Some(*at)),
        };
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            project_id: project_id.to_uuid(),
            branch: branch.to_string(),
            kind: kind.name().to_owned(),
            host: host.to_string(),
            cpu_millis: cpu_millis.map(i64::from),
            memory_mb: memory_mb.map(i64::from),
            state: state.name().to_owned(),
            reason,
            paused_by,
            destroyed_at,
            live_deployment: live_deployment.map(DeploymentId::to_uuid),
            was_live: *was_live,
            is_set_up: *is_set_up,
            refreshed_at: Some(*refreshed_at),
            visited_at: *visited_at,
            created_at: *created_at,
            updated_at: *updated_at,
            version: to_stored(*version),
        }
    }
}

impl TryFrom<Model> for Environment {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            project_id,
            branch,
            kind,
            host,
            cpu_millis,
            memory_mb,
            state,
            reason,
            paused_by,
            destroyed_at,
            live_deployment,
            was_live,
            is_set_up,
            refreshed_at,
            visited_at,
            created_at,
            updated_at,
            version,
        } = row;
        Ok(Self {
            id: EnvironmentId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            project_id: ProjectId::from_uuid(project_id),
            branch: branch.parse().map_err(corrupt(TABLE))?,
            kind: match kind.as_str() {
                "persistent" => EnvironmentKind::Persistent,
                "preview" => EnvironmentKind::Preview,
                _ => return Err(corrupt(TABLE)(BadColumn("kind"))),
            },
            host: host.parse().map_err(corrupt(TABLE))?,
            resources: resources(cpu_millis, memory_mb)?,
            state: match state.as_str() {
                "provisioning" => EnvironmentState::Provisioning,
                "active" => EnvironmentState::Active,
                "paused" => EnvironmentState::Paused {
                    by: match paused_by.as_deref() {
                        // Before there were previews, only people paused.
                        Some("person") | None => PausedBy::Person,
                        Some("idleness") => PausedBy::Idleness,
                        Some(_) => return Err(corrupt(TABLE)(BadColumn("paused_by"))),
                    },
                },
                "resetting" => EnvironmentState::Resetting,
                "failed" => EnvironmentState::Failed { reason: required(reason, TABLE, "reason")? },
                "destroying" => EnvironmentState::Destroying,
                "destroyed" => EnvironmentState::Destroyed {
                    at: required(destroyed_at, TABLE, "destroyed_at")?,
                },
                _ => return Err(corrupt(TABLE)(BadColumn("state"))),
            },
            live_deployment: live_deployment.map(DeploymentId::from_uuid),
            was_live,
            is_set_up,
            refreshed_at: required(refreshed_at, TABLE, "refreshed_at")?,
            visited_at,
            created_at,
            updated_at,
            version: from_stored(version, TABLE, "version")?,
        })
    }
}
