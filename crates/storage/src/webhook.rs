//! Repository of the webhooks of forges.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_domain::{
    BranchName, OrganizationId, Page, PageRequest, ProjectId, WebhookDelivery, WebhookDeliveryId,
    WebhookSecret,
};

use crate::StoreError;

/// Stores the secrets that projects share with their forges, and what those delivered.
#[async_trait]
pub trait WebhookRepo: Send {
    /// A project's secrets that have not ended by now, newest first.
    async fn list_secrets(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        now: DateTime<Utc>,
    ) -> Result<Vec<WebhookSecret>, StoreError>;

    /// Adds a secret.
    async fn insert_secret(&mut self, secret: &WebhookSecret) -> Result<(), StoreError>;

    /// Sets until when a project's secrets are good that are good for longer.
    async fn end_secrets(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Removes secrets that ended before a time.
    async fn prune_secrets_of_everyone(&mut self, before: DateTime<Utc>) -> Result<(), StoreError>;

    /// Adds a delivery. Fails with [`StoreError::Taken`] (`"delivery"`) when the project has one
    /// of its identifier or its digest; one that is about to be added is waited for. A failed
    /// insert leaves the unit of work usable.
    async fn insert_delivery(&mut self, delivery: &WebhookDelivery) -> Result<(), StoreError>;

    /// Replaces a stored delivery.
    async fn update_delivery(&mut self, delivery: &WebhookDelivery) -> Result<(), StoreError>;

    /// Finds a delivery.
    async fn find_delivery(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        id: WebhookDeliveryId,
    ) -> Result<Option<WebhookDelivery>, StoreError>;

    /// Lists a project's deliveries, newest first.
    async fn list_deliveries(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        page: PageRequest<WebhookDeliveryId>,
    ) -> Result<Page<WebhookDelivery>, StoreError>;

    /// A branch's deliveries that wait until its environment is gone, oldest first.
    async fn list_waiting(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        branch: &BranchName,
    ) -> Result<Vec<WebhookDelivery>, StoreError>;

    /// Removes deliveries that came before a time.
    async fn prune_deliveries_of_everyone(
        &mut self,
        received_before: DateTime<Utc>,
    ) -> Result<(), StoreError>;
}
