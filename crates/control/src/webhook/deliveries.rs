//! What forges delivered, to look at and to do once more.

use windlass_auth::Permission;
use windlass_domain::{
    Page, PageRequest, ProjectId, WebhookDelivery, WebhookDeliveryId, WebhookOutcome, WebhookWish,
};

use super::fulfil::{Order, fulfil};
use crate::{Caller, Control, ControlError, project};

/// Lists what forges delivered about a project, newest first.
pub async fn list_webhook_deliveries(
    control: &Control,
    caller: &Caller,
    project: ProjectId,
    page: PageRequest<WebhookDeliveryId>,
) -> Result<Page<WebhookDelivery>, ControlError> {
    let mut uow = control.store().read().await?;
    project::find(&mut *uow, caller, Permission::ProjectsRead, project).await?;
    Ok(uow.webhooks().list_deliveries(caller.organization(), project, page).await?)
}

/// Does once more what a delivery asks for: where a limit forbade it, for one.
pub async fn redeliver_webhook(
    control: &Control,
    caller: &Caller,
    project: ProjectId,
    id: WebhookDeliveryId,
) -> Result<WebhookDelivery, ControlError> {
    let mut uow = control.store().write().await?;
    let (project, grant) =
        project::find_for_update(&mut *uow, caller, Permission::EnvironmentsWrite, project).await?;
    let found = uow.webhooks().find_delivery(project.organization_id, project.id, id).await?;
    let found = found.ok_or(ControlError::NotFound("delivery"))?;
    if found.wish == WebhookWish::Nothing {
        let message = "the delivery asks for nothing that could be done once more";
        return Err(ControlError::conflict("nothing_to_do", message));
    }
    if found.outcome == WebhookOutcome::Waiting {
        let message = "it waits until the branch's environment is gone, and is done then";
        return Err(ControlError::conflict("wrong_state", message));
    }
    let order = Order::Do(found.wish.clone());
    let outcome = fulfil(control, &caller.initiator(), &mut *uow, &project, &order).await?;
    let delivery = WebhookDelivery { outcome, ..found };
    uow.webhooks().update_delivery(&delivery).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(delivery)
}
