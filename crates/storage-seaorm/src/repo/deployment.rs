//! Deployments in SQL.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, Query},
};
use windlass_domain::{
    BuildId, Deployment, DeploymentId, DeploymentKind, DeploymentState, EnvironmentId,
    OrganizationId, Page, PageRequest, ProjectId, Trigger,
};
use windlass_storage::{DeploymentRepo, StoreError};

use self::row::{Column, Entity, Model};
use super::{LockForUpdate, Repo, required};
use crate::error::{BadColumn, corrupt};

const TABLE: &str = "deployments";

const NEWEST_OF_ENVIRONMENT: &str = "(
    SELECT newest.id FROM deployments AS newest
    WHERE newest.environment_id = environments.id
    ORDER BY newest.id DESC LIMIT 1
)";

fn find_one(organization: OrganizationId, id: DeploymentId) -> Select<Entity> {
    Entity::find_by_id(id.to_uuid()).filter(Column::OrganizationId.eq(organization.to_uuid()))
}

fn find_in(organization: OrganizationId, environment: EnvironmentId) -> Select<Entity> {
    Entity::find()
        .filter(Column::OrganizationId.eq(organization.to_uuid()))
        .filter(Column::EnvironmentId.eq(environment.to_uuid()))
}

#[async_trait]
impl DeploymentRepo for Repo<'_> {
    #[tracing::instrument(name = "db.deployment.find", level = "debug", skip(self))]
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: DeploymentId,
    ) -> Result<Option<Deployment>, StoreError> {
        self.find_row(find_one(organization, id)).await
    }

    #[tracing::instrument(name = "db.deployment.find_for_update", level = "debug", skip(self))]
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: DeploymentId,
    ) -> Result<Option<Deployment>, StoreError> {
        self.find_row(find_one(organization, id).lock_for_update()).await
    }

    #[tracing::instrument(name = "db.deployment.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        environment: EnvironmentId,
        page: PageRequest<DeploymentId>,
    ) -> Result<Page<Deployment>, StoreError> {
        self.list_page(find_in(organization, environment), Column::Id, page).await
    }

    #[tracing::instrument(name = "db.deployment.list_newest_of", level = "debug", skip_all)]
    async fn list_newest_of(
        &mut self,
        organization: OrganizationId,
        environments: &[EnvironmentId],
    ) -> Result<Vec<Deployment>, StoreError> {
        // One step into the index for each environment, however many deployments it has had.
        let newest = Query::select()
            .expr(Expr::cust(NEWEST_OF_ENVIRONMENT))
            .from("environments")
            .and_where(Expr::col("id").is_in(environments.iter().map(|id| id.to_uuid())))
            .to_owned();
        let query = Entity::find()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(Column::Id.in_subquery(newest));
        self.list_rows(query).await
    }

    #[tracing::instrument(name = "db.deployment.list_unfinished", level = "debug", skip(self))]
    async fn list_unfinished_for_update(
        &mut self,
        organization: OrganizationId,
        environment: EnvironmentId,
    ) -> Result<Vec<Deployment>, StoreError> {
        // Written out, or the index would not be used.
        let query = find_in(organization, environment)
            .filter(Expr::cust("state IN ('queued', 'building', 'deploying', 'live')"))
            .order_by_asc(Column::Id)
            .lock_for_update();
        self.list_rows(query).await
    }

    #[tracing::instrument(name = "db.deployment.list_starting", level = "debug", skip_all)]
    async fn list_starting_of_everyone(&mut self) -> Result<Vec<DeploymentId>, StoreError> {
        // Written out, or the index would not be used.
        let unfinished = Expr::cust("state IN ('queued', 'building', 'deploying', 'live')");
        let query = Entity::find()
            .filter(unfinished)
            .filter(Column::State.eq(DeploymentState::Deploying.name()));
        let starting: Vec<Deployment> = self.list_rows(query).await?;
        Ok(starting.into_iter().map(|deployment| deployment.id).collect())
    }

    #[tracing::instrument(name = "db.deployment.insert", level = "debug", skip_all, fields(id = %deployment.id))]
    async fn insert(&mut self, deployment: &Deployment) -> Result<(), StoreError> {
        self.insert_row(Model::from(deployment)).await
    }

    #[tracing::instrument(name = "db.deployment.update", level = "debug", skip_all, fields(id = %deployment.id))]
    async fn update(&mut self, deployment: &Deployment) -> Result<(), StoreError> {
        self.update_row(Model::from(deployment)).await
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deployments")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) project_id: Uuid,
        pub(super) environment_id: Uuid,
        pub(super) kind: String,
        pub(super) trigger: String,
        pub(super) rollback_to: Option<Uuid>,
        pub(super) requested_by: String,
        pub(super) commit_id: Option<String>,
        pub(super) build_id: Uuid,
        pub(super) state: String,
        pub(super) state_since: Option<DateTimeUtc>,
        pub(super) reason: Option<String>,
        pub(super) created_at: DateTimeUtc,
        pub(super) updated_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&Deployment> for Model {
    fn from(deployment: &Deployment) -> Self {
        let Deployment {
            id,
            organization_id,
            project_id,
            environment_id,
            kind,
            trigger,
            requested_by,
            commit,
            build_id,
            state,
            created_at,
            updated_at,
        } = deployment;
        let kind = match kind {
            DeploymentKind::BrandNew => "brand_new",
            DeploymentKind::Incremental => "incremental",
        };
        let (trigger, rollback_to) = match trigger {
            Trigger::Created => ("created", None),
            Trigger::Rebuild => ("rebuild", None),
            Trigger::Push => ("push", None),
            Trigger::Rollback { to } => ("rollback", Some(to.to_uuid())),
            Trigger::Reset => ("reset", None),
        };
        let (state_since, reason) = match state {
            DeploymentState::Queued | DeploymentState::Building | DeploymentState::Deploying => {
                (None, None)
            }
            DeploymentState::Live { since } => (Some(*since), None),
            DeploymentState::Superseded { at } => (Some(*at), None),
            DeploymentState::Failed { at, reason } | DeploymentState::Cancelled { at, reason } => {
                (Some(*at), Some(reason.clone()))
            }
        };
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            project_id: project_id.to_uuid(),
            environment_id: environment_id.to_uuid(),
            kind: kind.to_owned(),
            trigger: trigger.to_owned(),
            rollback_to,
            requested_by: requested_by.clone(),
            commit_id: commit.as_ref().map(ToString::to_string),
            build_id: build_id.to_uuid(),
            state: state.name().to_owned(),
            state_since,
            reason,
            created_at: *created_at,
            updated_at: *updated_at,
        }
    }
}

impl TryFrom<Model> for Deployment {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            project_id,
            environment_id,
            kind,
            trigger,
            rollback_to,
            requested_by,
            commit_id,
            build_id,
            state,
            state_since,
            reason,
            created_at,
            updated_at,
        } = row;
        let since = || required(state_since, TABLE, "state_since");
        let reason = || required(reason, TABLE, "reason");
        let commit = commit_id.map(|commit| commit.parse()).transpose();
        Ok(Self {
            id: DeploymentId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            project_id: ProjectId::from_uuid(project_id),
            environment_id: EnvironmentId::from_uuid(environment_id),
            kind: match kind.as_str() {
                "brand_new" => DeploymentKind::BrandNew,
                "incremental" => DeploymentKind::Incremental,
                _ => return Err(corrupt(TABLE)(BadColumn("kind"))),
            },
            trigger: match trigger.as_str() {
                "created" => Trigger::Created,
                "rebuild" => Trigger::Rebuild,
                "push" => Trigger::Push,
                "rollback" => {
                    let to = required(rollback_to, TABLE, "rollback_to")?;
                    Trigger::Rollback { to: DeploymentId::from_uuid(to) }
                }
                "reset" => Trigger::Reset,
                _ => return Err(corrupt(TABLE)(BadColumn("trigger"))),
            },
            requested_by,
            commit: commit.map_err(corrupt(TABLE))?,
            build_id: BuildId::from_uuid(build_id),
            state: match state.as_str() {
                "queued" => DeploymentState::Queued,
                "building" => DeploymentState::Building,
                "deploying" => DeploymentState::Deploying,
                "live" => DeploymentState::Live { since: since()? },
                "superseded" => DeploymentState::Superseded { at: since()? },
                "failed" => DeploymentState::Failed { at: since()?, reason: reason()? },
                "cancelled" => DeploymentState::Cancelled { at: since()?, reason: reason()? },
                _ => return Err(corrupt(TABLE)(BadColumn("state"))),
            },
            created_at,
            updated_at,
        })
    }
}
