//! Webhooks in SQL. Secrets come here encrypted.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, Select, sea_query::Expr,
};
use windlass_domain::{
    BranchName, DeploymentId, EnvironmentId, OrganizationId, Page, PageRequest, ProjectId,
    SealedValue, WebhookDelivery, WebhookDeliveryId, WebhookOutcome, WebhookSecret,
    WebhookSecretId, WebhookWish,
};
use windlass_storage::{StoreError, WebhookRepo};

use super::{Repo, from_stored, required};
use crate::error::{BadColumn, corrupt, store_error};

const SECRETS: &str = "webhook_secrets";
const DELIVERIES: &str = "webhook_deliveries";

fn deliveries_in(organization: OrganizationId, project: ProjectId) -> Select<delivery::Entity> {
    delivery::Entity::find()
        .filter(delivery::Column::OrganizationId.eq(organization.to_uuid()))
        .filter(delivery::Column::ProjectId.eq(project.to_uuid()))
}

fn secrets_good_after(
    organization: OrganizationId,
    project: ProjectId,
    time: DateTime<Utc>,
) -> Condition {
    let lasts =
        Condition::any().add(secret::Column::EndsAt.is_null()).add(secret::Column::EndsAt.gt(time));
    Condition::all()
        .add(secret::Column::OrganizationId.eq(organization.to_uuid()))
        .add(secret::Column::ProjectId.eq(project.to_uuid()))
        .add(lasts)
}

#[async_trait]
impl WebhookRepo for Repo<'_> {
    #[tracing::instrument(name = "db.webhook.list_secrets", level = "debug", skip(self))]
    async fn list_secrets(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        now: DateTime<Utc>,
    ) -> Result<Vec<WebhookSecret>, StoreError> {
        let good = secrets_good_after(organization, project, now);
        let query = secret::Entity::find().filter(good).order_by_desc(secret::Column::Id);
        self.list_rows(query).await
    }

    #[tracing::instrument(name = "db.webhook.insert_secret", level = "debug", skip_all, fields(id = %secret.id))]
    async fn insert_secret(&mut self, secret: &WebhookSecret) -> Result<(), StoreError> {
        self.insert_row(secret::Model::from(secret)).await
    }

    #[tracing::instrument(name = "db.webhook.end_secrets", level = "debug", skip(self))]
    async fn end_secrets(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let update = secret::Entity::update_many()
            .col_expr(secret::Column::EndsAt, Expr::value(at))
            .filter(secrets_good_after(organization, project, at));
        update.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.webhook.prune_secrets", level = "debug", skip(self))]
    async fn prune_secrets_of_everyone(&mut self, before: DateTime<Utc>) -> Result<(), StoreError> {
        let old = secret::Entity::delete_many().filter(secret::Column::EndsAt.lt(before));
        old.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.webhook.insert_delivery", level = "debug", skip_all, fields(id = %delivery.id))]
    async fn insert_delivery(&mut self, delivery: &WebhookDelivery) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(delivery::Model::from(delivery)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("delivery")) }
    }

    #[tracing::instrument(name = "db.webhook.update_delivery", level = "debug", skip_all, fields(id = %delivery.id))]
    async fn update_delivery(&mut self, delivery: &WebhookDelivery) -> Result<(), StoreError> {
        self.update_row(delivery::Model::from(delivery)).await
    }

    #[tracing::instrument(name = "db.webhook.find_delivery", level = "debug", skip(self))]
    async fn find_delivery(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        id: WebhookDeliveryId,
    ) -> Result<Option<WebhookDelivery>, StoreError> {
        let one = deliveries_in(organization, project);
        self.find_row(one.filter(delivery::Column::Id.eq(id.to_uuid()))).await
    }

    #[tracing::instrument(name = "db.webhook.list_deliveries", level = "debug", skip(self))]
    async fn list_deliveries(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        page: PageRequest<WebhookDeliveryId>,
    ) -> Result<Page<WebhookDelivery>, StoreError> {
        self.list_page(deliveries_in(organization, project), delivery::Column::Id, page).await
    }

    #[tracing::instrument(name = "db.webhook.list_waiting", level = "debug", skip(self))]
    async fn list_waiting(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        branch: &BranchName,
    ) -> Result<Vec<WebhookDelivery>, StoreError> {
        let waiting = deliveries_in(organization, project)
            .filter(delivery::Column::Branch.eq(branch.as_str()))
            .filter(Expr::cust("outcome = 'waiting'"))
            .order_by_asc(delivery::Column::Id);
        self.list_rows(waiting).await
    }

    #[tracing::instrument(name = "db.webhook.prune_deliveries", level = "debug", skip(self))]
    async fn prune_deliveries_of_everyone(
        &mut self,
        received_before: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let old = delivery::Entity::delete_many()
            .filter(delivery::Column::ReceivedAt.lt(received_before));
        old.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

mod secret {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "webhook_secrets")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) project_id: Uuid,
        pub(super) value_key_id: i64,
        pub(super) value: Vec<u8>,
        pub(super) created_at: DateTimeUtc,
        pub(super) ends_at: Option<DateTimeUtc>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod delivery {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "webhook_deliveries")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) project_id: Uuid,
        pub(super) forge: String,
        pub(super) forge_id: String,
        pub(super) digest: Option<String>,
        pub(super) event: String,
        pub(super) wish: Option<String>,
        pub(super) branch: Option<String>,
        pub(super) commit_id: Option<String>,
        pub(super) outcome: String,
        pub(super) why: Option<String>,
        pub(super) environment_id: Option<Uuid>,
        pub(super) deployment_id: Option<Uuid>,
        pub(super) received_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&WebhookSecret> for secret::Model {
    fn from(secret: &WebhookSecret) -> Self {
        let WebhookSecret { id, organization_id, project_id, value, created_at, ends_at } = secret;
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            project_id: project_id.to_uuid(),
            value_key_id: i64::from(value.key_id),
            value: value.bytes.clone(),
            created_at: *created_at,
            ends_at: *ends_at,
        }
    }
}

impl TryFrom<secret::Model> for WebhookSecret {
    type Error = StoreError;

    fn try_from(row: secret::Model) -> Result<Self, Self::Error> {
        let secret::Model {
            id,
            organization_id,
            project_id,
            value_key_id,
            value,
            created_at,
            ends_at,
        } = row;
        let key_id = from_stored(value_key_id, SECRETS, "value_key_id")?;
        Ok(Self {
            id: WebhookSecretId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            project_id: ProjectId::from_uuid(project_id),
            value: SealedValue { key_id, bytes: value },
            created_at,
            ends_at,
        })
    }
}

impl From<&WebhookDelivery> for delivery::Model {
    fn from(delivery: &WebhookDelivery) -> Self {
        let WebhookDelivery {
            id,
            organization_id,
            project_id,
            forge,
            forge_id,
            digest,
            event,
            wish,
            outcome,
            received_at,
        } = delivery;
        let (wish, branch, commit_id) = match wish {
            WebhookWish::Deploy { branch, commit } => {
                (Some("deploy"), Some(branch.to_string()), Some(commit.to_string()))
            }
            WebhookWish::Remove { branch } => (Some("remove"), Some(branch.to_string()), None),
            WebhookWish::Nothing => (None, None, None),
        };
        let (environment_id, deployment_id) = match outcome {
            WebhookOutcome::Deployed { environment_id, deployment_id } => {
                (Some(environment_id.to_uuid()), Some(deployment_id.to_uuid()))
            }
            WebhookOutcome::Removed { environment_id } => (Some(environment_id.to_uuid()), None),
            WebhookOutcome::Waiting
            | WebhookOutcome::Ignored { .. }
            | WebhookOutcome::Refused { .. } => (None, None),
        };
        let why = match outcome {
            WebhookOutcome::Ignored { why } | WebhookOutcome::Refused { why } => Some(why.clone()),
            WebhookOutcome::Deployed { .. }
            | WebhookOutcome::Removed { .. }
            | WebhookOutcome::Waiting => None,
        };
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            project_id: project_id.to_uuid(),
            forge: forge.clone(),
            forge_id: forge_id.clone(),
            digest: digest.clone(),
            event: event.clone(),
            wish: wish.map(str::to_owned),
            branch,
            commit_id,
            outcome: outcome.name().to_owned(),
            why,
            environment_id,
            deployment_id,
            received_at: *received_at,
        }
    }
}

impl TryFrom<delivery::Model> for WebhookDelivery {
    type Error = StoreError;

    fn try_from(row: delivery::Model) -> Result<Self, Self::Error> {
        let delivery::Model {
            id,
            organization_id,
            project_id,
            forge,
            forge_id,
            digest,
            event,
            wish,
            branch,
            commit_id,
            outcome,
            why,
            environment_id,
            deployment_id,
            received_at,
        } = row;
        let branch = || {
            let text = required(branch, DELIVERIES, "branch")?;
            text.parse().map_err(corrupt(DELIVERIES))
        };
        let environment = || {
            let id = required(environment_id, DELIVERIES, "environment_id")?;
            Ok::<_, StoreError>(EnvironmentId::from_uuid(id))
        };
        let why = || required(why, DELIVERIES, "why");
        Ok(Self {
            id: WebhookDeliveryId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            project_id: ProjectId::from_uuid(project_id),
            forge,
            forge_id,
            digest,
            event,
            wish: match wish.as_deref() {
                Some("deploy") => {
                    let commit = required(commit_id, DELIVERIES, "commit_id")?;
                    let commit = commit.parse().map_err(corrupt(DELIVERIES))?;
                    WebhookWish::Deploy { branch: branch()?, commit }
                }
                Some("remove") => WebhookWish::Remove { branch: branch()? },
                None => WebhookWish::Nothing,
                Some(_) => return Err(corrupt(DELIVERIES)(BadColumn("wish"))),
            },
            outcome: match outcome.as_str() {
                "deployed" => {
                    let id = required(deployment_id, DELIVERIES, "deployment_id")?;
                    let deployment_id = DeploymentId::from_uuid(id);
                    WebhookOutcome::Deployed { environment_id: environment()?, deployment_id }
                }
                "removed" => WebhookOutcome::Removed { environment_id: environment()? },
                "waiting" => WebhookOutcome::Waiting,
                "ignored" => WebhookOutcome::Ignored { why: why()? },
                "refused" => WebhookOutcome::Refused { why: why()? },
                _ => return Err(corrupt(DELIVERIES)(BadColumn("outcome"))),
            },
            received_at,
        })
    }
}
