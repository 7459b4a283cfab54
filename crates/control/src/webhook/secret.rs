//! The secret that a project shares with its forge.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use windlass_auth::Permission;
use windlass_domain::{
    OrganizationId, ProjectId, ProjectState, TransitionError, WebhookSecret, WebhookSecretId,
};
use windlass_storage::UnitOfWork;

use super::hex;
use crate::{Caller, Control, ControlError, project};

/// How long an old secret can stay good after a new one was made.
const MOST_SECRET_OVERLAP: TimeDelta = TimeDelta::days(7);

/// Bytes of a secret.
const BYTES: usize = 32;

/// A new secret, to be shown once.
#[derive(Debug)]
pub struct NewWebhookSecret {
    /// The secret.
    pub secret: SecretString,
    /// Which one it is.
    pub id: WebhookSecretId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when the ones before it are good.
    pub previous_ends_at: DateTime<Utc>,
}

/// Makes a new secret for a project's webhooks. Those before it are good for a while longer, so
/// that the forge can be told the new one without a gap.
pub async fn rotate_webhook_secret(
    control: &Control,
    caller: &Caller,
    project: ProjectId,
    overlap: TimeDelta,
) -> Result<NewWebhookSecret, ControlError> {
    let now = control.fx().clock.now();
    let mut uow = control.store().write().await?;
    let (project, grant) =
        project::find_for_update(&mut *uow, caller, Permission::ProjectsWrite, project).await?;
    if !(TimeDelta::zero()..=MOST_SECRET_OVERLAP).contains(&overlap) {
        let message = format!("must be between 0 and {}", MOST_SECRET_OVERLAP.num_seconds());
        return Err(ControlError::Invalid { field: "overlap_seconds", message });
    }
    if project.state != ProjectState::Active {
        let (wanted, state) = ("make a secret for", project.state.name());
        return Err(TransitionError { wanted, entity: "project", state }.into());
    }
    let organization = project.organization_id;
    let previous_ends_at = now + overlap;
    uow.webhooks().end_secrets(organization, project.id, previous_ends_at).await?;

    let id = WebhookSecretId::generate(control.fx());
    let secret = random_secret(control);
    let value = control.inner.keyring.seal(&bound_to(id), &secret, control.fx().entropy)?;
    let stored = WebhookSecret {
        id,
        organization_id: organization,
        project_id: project.id,
        value,
        created_at: now,
        ends_at: None,
    };
    uow.webhooks().insert_secret(&stored).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(NewWebhookSecret { secret, id, created_at: now, previous_ends_at })
}

/// A project's secrets that are good now.
pub(super) async fn good_secrets(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    organization: OrganizationId,
    project: ProjectId,
) -> Result<Vec<SecretString>, ControlError> {
    let now = control.fx().clock.now();
    let stored = uow.webhooks().list_secrets(organization, project, now).await?;
    let open = |secret: &WebhookSecret| {
        Ok(control.inner.keyring.open(&bound_to(secret.id), &secret.value)?)
    };
    stored.iter().map(open).collect()
}

/// What a value is sealed to: moved to another row, it does not open.
fn bound_to(id: WebhookSecretId) -> String {
    format!("webhook_secret:{id}")
}

/// With a beginning by which scanners of source code know it.
fn random_secret(control: &Control) -> SecretString {
    let mut bytes = [0; BYTES];
    control.fx().entropy.fill(&mut bytes);
    format!("wlwh_{}", hex(&bytes)).into()
}
