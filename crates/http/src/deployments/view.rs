//! Deployments as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_domain::{Deployment, DeploymentKind, DeploymentState, Trigger};

use crate::tag::Tag;

/// One commit of an environment's branch, from the wish to run it to its end.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deployment)]
pub(crate) struct DeploymentView {
    #[schema(example = "dep_01kdvdna000000000000000006")]
    id: String,
    #[schema(example = "env_01kdvdna000000000000000004")]
    environment_id: String,
    #[schema(example = "proj_01kdvdna000000000000000003")]
    project_id: String,
    kind: DeploymentKindView,
    trigger: TriggerView,
    /// The earlier deployment whose build it runs, for a rollback.
    rollback_of: Option<String>,
    /// Who asked for it.
    #[schema(example = "API key \"ci\"")]
    requested_by: String,
    /// The commit it runs; `null` until the branch has been looked up.
    #[schema(example = "8f3c1a7be2d54960b1c7a9d3f0e4567890abcdef")]
    commit: Option<String>,
    /// The build that it runs.
    #[schema(example = "bld_01kdvdna000000000000000007")]
    build_id: String,
    state: DeploymentStateView,
    /// Why it failed or was cancelled.
    reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Whether the environment itself begins with a deployment.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = DeploymentKind)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeploymentKindView {
    BrandNew,
    Incremental,
}

/// Why a deployment exists.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Trigger)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TriggerView {
    Created,
    Rebuild,
    Push,
    Rollback,
    Reset,
}

/// Where a deployment is on its way.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = DeploymentState)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeploymentStateView {
    Queued,
    Building,
    Deploying,
    Live,
    Superseded,
    Failed,
    Cancelled,
}

/// The version of a deployment that a client sees: nobody changes it, it moves on by itself.
pub(crate) fn tag(deployment: &Deployment) -> Tag {
    Tag { version: 0, shown: Some(deployment.updated_at.timestamp_micros()) }
}

impl From<Deployment> for DeploymentView {
    fn from(deployment: Deployment) -> Self {
        let Deployment {
            id,
            organization_id: _,
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
        let (trigger, rollback_of) = match trigger {
            Trigger::Created => (TriggerView::Created, None),
            Trigger::Rebuild => (TriggerView::Rebuild, None),
            Trigger::Push => (TriggerView::Push, None),
            Trigger::Rollback { to } => (TriggerView::Rollback, Some(to.to_string())),
            Trigger::Reset => (TriggerView::Reset, None),
        };
        let (state, reason) = state_and_reason(state);
        Self {
            id: id.to_string(),
            environment_id: environment_id.to_string(),
            project_id: project_id.to_string(),
            kind: match kind {
                DeploymentKind::BrandNew => DeploymentKindView::BrandNew,
                DeploymentKind::Incremental => DeploymentKindView::Incremental,
            },
            trigger,
            rollback_of,
            requested_by,
            commit: commit.map(|commit| commit.to_string()),
            build_id: build_id.to_string(),
            state,
            reason,
            created_at,
            updated_at,
        }
    }
}

fn state_and_reason(state: DeploymentState) -> (DeploymentStateView, Option<String>) {
    match state {
        DeploymentState::Queued => (DeploymentStateView::Queued, None),
        DeploymentState::Building => (DeploymentStateView::Building, None),
        DeploymentState::Deploying => (DeploymentStateView::Deploying, None),
        DeploymentState::Live { since: _ } => (DeploymentStateView::Live, None),
        DeploymentState::Superseded { at: _ } => (DeploymentStateView::Superseded, None),
        DeploymentState::Failed { at: _, reason } => (DeploymentStateView::Failed, Some(reason)),
        DeploymentState::Cancelled { at: _, reason } => {
            (DeploymentStateView::Cancelled, Some(reason))
        }
    }
}
