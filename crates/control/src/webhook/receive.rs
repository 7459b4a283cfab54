//! A forge tells of something.

use std::sync::Arc;

use secrecy::SecretString;
use windlass_domain::{Project, WebhookDelivery, WebhookDeliveryId, WebhookOutcome, WebhookWish};
use windlass_forge::{Delivery, Event, Message, PullRequestAction, Repository};
use windlass_storage::StoreError;

use super::{
    fulfil::{Order, settle},
    hex,
    secret::good_secrets,
};
use crate::{Control, ControlError, Occasion};

/// What came of a message in one project.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The project.
    pub project: Project,
    /// What came of it; nothing where it was known already.
    pub delivery: Option<WebhookDelivery>,
}

/// Takes a message of a forge in for every project of its repository with whose secret it is
/// signed: once, however often it comes. The work that it causes is done later.
pub async fn receive_webhook(
    control: &Control,
    occasion: &Occasion,
    message: Message,
) -> Result<Vec<Receipt>, ControlError> {
    let message = Arc::new(message);
    let (projects, delivery) = proven(control, &message).await?;
    let mut receipts = Vec::with_capacity(projects.len());
    for project in projects {
        receipts.push(take_in(control, occasion, project, &delivery).await?);
    }
    Ok(receipts)
}

/// The projects with whose secret a message is signed, and what it says.
async fn proven(
    control: &Control,
    message: &Arc<Message>,
) -> Result<(Vec<Project>, Delivery), ControlError> {
    let mut uow = control.store().read().await?;
    let addresses = message.claimed_repository().map(Repository::addresses);
    let addresses = addresses.unwrap_or_default();
    let mut candidates = Vec::new();
    let projects = uow.projects().list_of_repository_of_everyone(addresses).await?;
    for project in projects {
        let (organization, id) = (project.organization_id, project.id);
        let secrets = good_secrets(control, &mut *uow, organization, id).await?;
        candidates.push((project, secrets));
    }
    drop(uow);

    // A body may have megabytes, and is gone through once for each secret.
    let message = Arc::clone(message);
    let prove = move || {
        let prove = |(project, secrets): (Project, Vec<SecretString>)| {
            let said = secrets.iter().find_map(|secret| message.proven_by(secret))?;
            Some((project, said.clone()))
        };
        candidates.into_iter().filter_map(prove).collect::<Vec<_>>()
    };
    let proven = tokio::task::spawn_blocking(prove)
        .await
        .map_err(|err| ControlError::Internal(Box::new(err)))?;
    let said = proven.first().map(|(_, said)| said.clone()).ok_or(ControlError::NotProven)?;
    Ok((proven.into_iter().map(|(project, _)| project).collect(), said))
}

async fn take_in(
    control: &Control,
    occasion: &Occasion,
    project: Project,
    said: &Delivery,
) -> Result<Receipt, ControlError> {
    let (organization, id) = (project.organization_id, project.id);
    let (event, order) = read(&said.event);
    let mut uow = control.store().write().await?;
    let held = uow.projects().find_for_update(organization, id).await?;
    let Some(project) = held else { return Ok(Receipt { project, delivery: None }) };
    let delivery = WebhookDelivery {
        id: WebhookDeliveryId::generate(control.fx()),
        organization_id: organization,
        project_id: id,
        forge: said.forge.name().to_owned(),
        forge_id: said.id.as_str().to_owned(),
        digest: said.digest.map(|digest| hex(&digest)),
        event: event.to_owned(),
        wish: order.wish().clone(),
        outcome: WebhookOutcome::Waiting,
        received_at: control.fx().clock.now(),
    };
    match uow.webhooks().insert_delivery(&delivery).await {
        Ok(()) => {}
        Err(StoreError::Taken(_)) => return Ok(Receipt { project, delivery: None }),
        Err(err) => return Err(err.into()),
    }
    let delivery = settle(control, occasion, &mut *uow, &project, delivery, &order).await?;
    uow.commit().await?;
    tracing::info!(
        project.id = %project.id,
        delivery.id = %delivery.id,
        event,
        outcome = delivery.outcome.name(),
        "webhook received",
    );
    Ok(Receipt { project, delivery: Some(delivery) })
}

/// What an event is called, and what it asks for.
fn read(event: &Event) -> (&'static str, Order) {
    let nothing = |why: &str| Order::Nothing { why: why.to_owned() };
    match event {
        Event::Ping => ("ping", nothing("it only tries whether the webhook works")),
        Event::Push { branch, commit, created: _, forced: _ } => {
            let wish = WebhookWish::Deploy { branch: branch.clone(), commit: commit.clone() };
            ("push", Order::Do(wish))
        }
        Event::BranchDeleted { branch } => {
            ("branch_deleted", Order::Do(WebhookWish::Remove { branch: branch.clone() }))
        }
        Event::PullRequest { from_fork: true, .. } => {
            ("pull_request", nothing("pull requests from forks are not built"))
        }
        Event::PullRequest { action, branch, commit, number: _, from_fork: false } => {
            let branch = branch.clone();
            let order = match action {
                PullRequestAction::Opened => {
                    Order::DoUnlessThere(WebhookWish::Deploy { branch, commit: commit.clone() })
                }
                PullRequestAction::Closed => Order::Do(WebhookWish::Remove { branch }),
                PullRequestAction::Updated => nothing("the push of its commits is what counts"),
                PullRequestAction::Other => nothing("it changes nothing about the branch"),
            };
            ("pull_request", order)
        }
        Event::Installation { .. } => {
            ("installation", nothing("installations of the GitHub App are not linked yet"))
        }
        Event::Ignored { why } => ("other", Order::Nothing { why: why.clone() }),
    }
}
