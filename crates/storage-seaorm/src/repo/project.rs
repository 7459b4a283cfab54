//! Projects in SQL.

use std::collections::HashMap;

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QueryTrait, Select,
    prelude::Uuid, sea_query::Expr,
};
use windlass_domain::{
    Environment, OrganizationId, Page, PageRequest, Project, ProjectId, ProjectState, Resources,
};
use windlass_storage::{Holding, ProjectFilter, ProjectRepo, StoreError};

use self::row::{Column, Entity, Model};
use super::{LockForUpdate, Repo, environment, from_stored, required, to_stored};
use crate::error::{BadColumn, corrupt, store_error};

const TABLE: &str = "projects";

/// An organization's projects that are not deleted.
fn find_in(organization: OrganizationId) -> Select<Entity> {
    Entity::find()
        .filter(Column::OrganizationId.eq(organization.to_uuid()))
        .filter(Expr::cust("state <> 'deleted'"))
}

fn find_one(organization: OrganizationId, id: ProjectId) -> Select<Entity> {
    find_in(organization).filter(Column::Id.eq(id.to_uuid()))
}

/// Projects that a query names.
pub(super) fn find_among<E: EntityTrait>(ids: Select<E>) -> Select<Entity> {
    Entity::find().filter(Column::Id.in_subquery(ids.into_query()))
}

#[async_trait]
impl ProjectRepo for Repo<'_> {
    #[tracing::instrument(name = "db.project.find", level = "debug", skip(self))]
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: ProjectId,
    ) -> Result<Option<Project>, StoreError> {
        self.find_row(find_one(organization, id)).await
    }

    #[tracing::instrument(name = "db.project.find_for_update", level = "debug", skip(self))]
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: ProjectId,
    ) -> Result<Option<Project>, StoreError> {
        self.find_row(find_one(organization, id).lock_for_update()).await
    }

    #[tracing::instrument(name = "db.project.list", level = "debug", skip(self, filter))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        filter: &ProjectFilter,
        page: PageRequest<ProjectId>,
    ) -> Result<Page<Project>, StoreError> {
        let mut query = find_in(organization);
        if let Some(only) = &filter.only {
            query = query.filter(Column::Id.is_in(only.iter().map(|id| id.to_uuid())));
        }
        self.list_page(query, Column::Id, page).await
    }

    #[tracing::instrument(name = "db.project.list_of_repository", level = "debug", skip_all)]
    async fn list_of_repository_of_everyone(
        &mut self,
        addresses: &[String],
    ) -> Result<Vec<Project>, StoreError> {
        let query = Entity::find()
            .filter(Expr::cust("state <> 'deleted'"))
            .filter(Expr::cust("lower(git_url)").is_in(addresses))
            .filter(Expr::cust("state = 'active'"))
            .order_by_asc(Column::Id);
        self.list_rows(query).await
    }

    #[tracing::instrument(name = "db.project.list_holdings", level = "debug", skip(self))]
    async fn list_holdings(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<Holding>, StoreError> {
        let counted = environment::count_present_by_project(organization);
        let counts: Vec<(Uuid, i64)> =
            counted.into_tuple().all(&self.db).await.map_err(store_error)?;
        let counts: HashMap<Uuid, i64> = counts.into_iter().collect();
        let with_own: Vec<Environment> =
            self.list_rows(environment::find_own_resources(organization)).await?;
        let mut own: HashMap<ProjectId, Vec<Resources>> = HashMap::new();
        for environment in with_own {
            own.entry(environment.project_id).or_default().push(environment.resources);
        }
        let projects: Vec<Project> = self.list_rows(find_in(organization)).await?;
        projects
            .into_iter()
            .map(|Project { id, settings, .. }| {
                let environments = counts.get(&id.to_uuid()).copied().unwrap_or_default();
                let environments = from_stored(environments, "environments", "id")?;
                let own = own.remove(&id).unwrap_or_default();
                Ok(Holding { project: id, resources: settings.resources, environments, own })
            })
            .collect()
    }

    #[tracing::instrument(name = "db.project.insert", level = "debug", skip_all, fields(id = %project.id))]
    async fn insert(&mut self, project: &Project) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(Model::try_from(project)?).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("slug")) }
    }

    #[tracing::instrument(name = "db.project.update", level = "debug", skip_all, fields(id = %project.id))]
    async fn update(&mut self, project: &Project) -> Result<(), StoreError> {
        self.update_row(Model::try_from(project)?).await
    }
}

pub(super) mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "projects")]
    pub(in crate::repo) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) name: String,
        pub(super) slug: String,
        pub(super) git_url: String,
        pub(super) github_repo: Option<String>,
        pub(super) default_branch: String,
        pub(super) settings: String,
        pub(super) state: String,
        pub(super) state_since: Option<DateTimeUtc>,
        pub(super) created_at: DateTimeUtc,
        pub(super) updated_at: DateTimeUtc,
        pub(super) version: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl TryFrom<&Project> for Model {
    type Error = StoreError;

    fn try_from(project: &Project) -> Result<Self, Self::Error> {
        let Project {
            id,
            organization_id,
            name,
            slug,
            git_url,
            github_repo,
            default_branch,
            settings,
            state,
            created_at,
            updated_at,
            version,
        } = project;
        Ok(Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            name: name.to_string(),
            slug: slug.to_string(),
            git_url: git_url.to_string(),
            github_repo: github_repo.as_ref().map(ToString::to_string),
            default_branch: default_branch.to_string(),
            settings: serde_json::to_string(settings).map_err(corrupt(TABLE))?,
            state: state.name().to_owned(),
            state_since: match *state {
                ProjectState::Active => None,
                ProjectState::Deleting { since } => Some(since),
                ProjectState::Deleted { at } => Some(at),
            },
            created_at: *created_at,
            updated_at: *updated_at,
            version: to_stored(*version),
        })
    }
}

impl TryFrom<Model> for Project {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            name,
            slug,
            git_url,
            github_repo,
            default_branch,
            settings,
            state,
            state_since,
            created_at,
            updated_at,
            version,
        } = row;
        let since = || required(state_since, TABLE, "state_since");
        let github_repo = github_repo.map(|repo| repo.parse()).transpose();
        Ok(Self {
            id: ProjectId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            name: name.parse().map_err(corrupt(TABLE))?,
            slug: slug.parse().map_err(corrupt(TABLE))?,
            git_url: git_url.parse().map_err(corrupt(TABLE))?,
            github_repo: github_repo.map_err(corrupt(TABLE))?,
            default_branch: default_branch.parse().map_err(corrupt(TABLE))?,
            settings: serde_json::from_str(&settings).map_err(corrupt(TABLE))?,
            state: match state.as_str() {
                "active" => ProjectState::Active,
                "deleting" => ProjectState::Deleting { since: since()? },
                "deleted" => ProjectState::Deleted { at: since()? },
                _ => return Err(corrupt(TABLE)(BadColumn("state"))),
            },
            created_at,
            updated_at,
            version: from_stored(version, TABLE, "version")?,
        })
    }
}
