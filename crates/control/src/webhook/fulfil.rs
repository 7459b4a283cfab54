//! Does what a forge asks for, as far as the project allows it.

use windlass_auth::AuditObject;
use windlass_domain::{
    BranchName, CommitId, Environment, EnvironmentKind, Project, Trigger, WebhookDelivery,
    WebhookOutcome, WebhookWish,
};
use windlass_forge::Forge;
use windlass_storage::UnitOfWork;

use crate::{
    Control, ControlError, Occasion,
    audit::Deed,
    caller::Initiator,
    environment::{Wanted, begin_destroying, found, redeploy},
};

/// What is to be done with a delivery.
pub(super) enum Order {
    /// What it asks for.
    Do(WebhookWish),
    /// The same, unless the branch has an environment already.
    DoUnlessThere(WebhookWish),
    /// Nothing.
    Nothing {
        /// Why, for people.
        why: String,
    },
}

impl Order {
    pub(super) fn wish(&self) -> &WebhookWish {
        match self {
            Self::Do(wish) | Self::DoUnlessThere(wish) => wish,
            Self::Nothing { .. } => &WebhookWish::Nothing,
        }
    }
}

/// Does what a stored delivery asks for on the forge's account, and writes down what came of it. The
/// caller holds the project's row.
pub(super) async fn settle(
    control: &Control,
    occasion: &Occasion,
    uow: &mut dyn UnitOfWork,
    project: &Project,
    delivery: WebhookDelivery,
    order: &Order,
) -> Result<WebhookDelivery, ControlError> {
    let title = match delivery.forge.parse::<Forge>() {
        Ok(forge) => forge.title(),
        Err(_) => &delivery.forge,
    };
    let label = format!("{title} webhook");
    let initiator = Initiator {
        organization: project.organization_id,
        label: label.clone(),
        request_id: occasion.request_id.clone(),
    };
    let outcome = fulfil(control, &initiator, uow, project, order).await?;
    let delivery = WebhookDelivery { outcome, ..delivery };
    uow.webhooks().update_delivery(&delivery).await?;
    if let Some(object) = changed(&delivery.outcome) {
        control.write_down(uow, Deed::by_forge(occasion, project, label, object)).await?;
    }
    Ok(delivery)
}

fn changed(outcome: &WebhookOutcome) -> Option<AuditObject> {
    match outcome {
        WebhookOutcome::Deployed { deployment_id, .. } => Some(AuditObject::new(*deployment_id)),
        WebhookOutcome::Removed { environment_id } => Some(AuditObject::new(*environment_id)),
        WebhookOutcome::Waiting
        | WebhookOutcome::Ignored { .. }
        | WebhookOutcome::Refused { .. } => None,
    }
}

/// Does what is asked for, and tells what came of it. What a limit or a state forbids changes
/// nothing. The caller holds the project's row.
pub(super) async fn fulfil(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    project: &Project,
    order: &Order,
) -> Result<WebhookOutcome, ControlError> {
    let done = match order {
        Order::Nothing { why } => Ok(WebhookOutcome::Ignored { why: why.clone() }),
        Order::DoUnlessThere(wish) => carry_out(control, initiator, uow, project, wish, true).await,
        Order::Do(wish) => carry_out(control, initiator, uow, project, wish, false).await,
    };
    match done {
        Err(ControlError::Refused { message, .. } | ControlError::Conflict { message, .. }) => {
            Ok(WebhookOutcome::Refused { why: message })
        }
        done => done,
    }
}

async fn carry_out(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    project: &Project,
    wish: &WebhookWish,
    only_if_absent: bool,
) -> Result<WebhookOutcome, ControlError> {
    let (organization, id) = (project.organization_id, project.id);
    let (branch, commit) = match wish {
        WebhookWish::Nothing => return Ok(ignored("there is nothing to be done")),
        WebhookWish::Remove { branch } => {
            let there =
                uow.environments().find_of_branch_for_update(organization, id, branch).await?;
            forget_waiting(uow, project, branch, "the branch was deleted meanwhile").await?;
            return remove(control, initiator, uow, there).await;
        }
        WebhookWish::Deploy { branch, commit } => (branch, commit),
    };
    let there = uow.environments().find_of_branch_for_update(organization, id, branch).await?;
    match there {
        Some(there) if is_leaving(&there) => Ok(WebhookOutcome::Waiting),
        Some(_) if only_if_absent => Ok(ignored("the branch has an environment already")),
        Some(there) => {
            let (environment_id, commit) = (there.id, Some(commit.clone()));
            let deployment =
                redeploy(control, initiator, uow, there, Trigger::Push, commit).await?;
            Ok(WebhookOutcome::Deployed { environment_id, deployment_id: deployment.id })
        }
        None => begin(control, initiator, uow, project, branch, commit).await,
    }
}

/// Makes the environment of a branch that has none, where it is to have one.
async fn begin(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    project: &Project,
    branch: &BranchName,
    commit: &CommitId,
) -> Result<WebhookOutcome, ControlError> {
    let previews = &project.settings.previews;
    let kind = if *branch == project.default_branch {
        EnvironmentKind::Persistent
    } else if previews.take(branch) {
        let count = uow.environments().count_previews(project.organization_id, project.id).await?;
        if u64::from(previews.limit) <= count {
            let why = format!("the project has {count} previews, and may have {}", previews.limit);
            return Ok(WebhookOutcome::Refused { why });
        }
        EnvironmentKind::Preview
    } else {
        return Ok(ignored("the project's previews don't take this branch"));
    };
    let wanted = Wanted {
        branch: branch.clone(),
        kind,
        trigger: Trigger::Push,
        commit: Some(commit.clone()),
    };
    let (environment, deployment) = found(control, initiator, uow, project, wanted).await?;
    Ok(WebhookOutcome::Deployed { environment_id: environment.id, deployment_id: deployment.id })
}

async fn remove(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    there: Option<Environment>,
) -> Result<WebhookOutcome, ControlError> {
    let Some(there) = there else {
        return Ok(ignored("the branch has no environment"));
    };
    if is_leaving(&there) {
        return Ok(ignored("its environment is being taken down already"));
    }
    if there.kind == EnvironmentKind::Persistent {
        return Ok(ignored("its environment is no preview: it stays until somebody destroys it"));
    }
    let environment = begin_destroying(control, initiator, uow, there.id).await?;
    Ok(WebhookOutcome::Removed { environment_id: environment.id })
}

/// Brings a branch's environment back that was taken down while somebody pushed to the branch. The
/// caller holds the project's row, and has taken the environment down in this unit of work.
pub(crate) async fn bring_back(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    project: &Project,
    branch: &BranchName,
    request_id: Option<String>,
) -> Result<(), ControlError> {
    let (organization, id) = (project.organization_id, project.id);
    let waiting = uow.webhooks().list_waiting(organization, id, branch).await?;
    let Some(newest) = waiting.into_iter().next_back() else { return Ok(()) };
    let order = Order::Do(newest.wish.clone());
    let occasion = Occasion { action: "receive_webhook".into(), request_id, address: None };
    settle(control, &occasion, uow, project, newest, &order).await?;
    forget_waiting(uow, project, branch, "a later push took its place").await
}

/// Lets what waits for a branch's environment to be gone wait no longer.
async fn forget_waiting(
    uow: &mut dyn UnitOfWork,
    project: &Project,
    branch: &BranchName,
    why: &str,
) -> Result<(), ControlError> {
    let (organization, id) = (project.organization_id, project.id);
    let waiting = uow.webhooks().list_waiting(organization, id, branch).await?;
    for waiting in waiting {
        let forgotten = WebhookDelivery { outcome: ignored(why), ..waiting };
        uow.webhooks().update_delivery(&forgotten).await?;
    }
    Ok(())
}

fn is_leaving(environment: &Environment) -> bool {
    environment.check_deployable().is_err()
}

fn ignored(why: &str) -> WebhookOutcome {
    WebhookOutcome::Ignored { why: why.to_owned() }
}
