//! Deliveries of webhooks as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_domain::{WebhookDelivery, WebhookOutcome, WebhookWish};

/// A message of a forge about a project, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub(crate) struct DeliveryView {
    #[schema(example = "whd_01kdvdna000000000000000010")]
    id: String,
    #[schema(example = "proj_01kdvdna000000000000000003")]
    project_id: String,
    /// The product that sent it: `github`, `gitlab` or `gitea`.
    #[schema(example = "github")]
    forge: String,
    /// How the forge calls it.
    #[schema(example = "f6266f16-1bf3-46a5-9ea4-602e06ead473")]
    forge_id: String,
    /// What it tells of: `push`, `branch_deleted`, `pull_request`, `ping`, `installation` or
    /// `other`.
    #[schema(example = "push")]
    event: String,
    /// The branch that is to be deployed, or whose preview is to go; `null` where nothing is asked
    /// for.
    #[schema(example = "feature/login")]
    branch: Option<String>,
    /// Where the branch pointed to, as far as the forge knew.
    commit: Option<String>,
    outcome: OutcomeView,
    /// Why nothing came of it, where nothing did.
    message: Option<String>,
    /// What was deployed to, or is taken down.
    #[schema(example = "env_01kdvdna000000000000000004")]
    environment_id: Option<String>,
    /// The deployment that came of it.
    #[schema(example = "dep_01kdvdna000000000000000006")]
    deployment_id: Option<String>,
    received_at: DateTime<Utc>,
}

/// What came of a message: a deployment; a preview that is taken down; nothing yet, as the branch's
/// environment is being taken down and comes back afterwards; nothing, as it should be; nothing,
/// since a limit or a state forbids it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookOutcome)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeView {
    Deployed,
    Removed,
    Waiting,
    Ignored,
    Refused,
}

impl From<WebhookDelivery> for DeliveryView {
    fn from(delivery: WebhookDelivery) -> Self {
        let WebhookDelivery {
            id,
            organization_id: _,
            project_id,
            forge,
            forge_id,
            digest: _,
            event,
            wish,
            outcome,
            received_at,
        } = delivery;
        let (branch, commit) = match wish {
            WebhookWish::Deploy { branch, commit } => (Some(branch), Some(commit)),
            WebhookWish::Remove { branch } => (Some(branch), None),
            WebhookWish::Nothing => (None, None),
        };
        let (outcome, environment_id, deployment_id, message) = match outcome {
            WebhookOutcome::Deployed { environment_id, deployment_id } => {
                (OutcomeView::Deployed, Some(environment_id), Some(deployment_id), None)
            }
            WebhookOutcome::Removed { environment_id } => {
                (OutcomeView::Removed, Some(environment_id), None, None)
            }
            WebhookOutcome::Waiting => {
                let why = "the branch's environment is being taken down, and comes back afterwards";
                (OutcomeView::Waiting, None, None, Some(why.to_owned()))
            }
            WebhookOutcome::Ignored { why } => (OutcomeView::Ignored, None, None, Some(why)),
            WebhookOutcome::Refused { why } => (OutcomeView::Refused, None, None, Some(why)),
        };
        Self {
            id: id.to_string(),
            project_id: project_id.to_string(),
            forge,
            forge_id,
            event,
            branch: branch.map(|branch| branch.to_string()),
            commit: commit.map(|commit| commit.to_string()),
            outcome,
            message,
            environment_id: environment_id.map(|id| id.to_string()),
            deployment_id: deployment_id.map(|id| id.to_string()),
            received_at,
        }
    }
}
