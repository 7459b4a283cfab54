//! Environments as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_control::EnvironmentDetail;
use windlass_domain::{Environment, EnvironmentKind, EnvironmentState};

use crate::{app::AppAddress, deployments::DeploymentView, tag::Tag};

/// A branch of a project and the app that runs from it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Environment)]
pub(crate) struct EnvironmentView {
    #[schema(example = "env_01kdvdna000000000000000004")]
    id: String,
    #[schema(example = "proj_01kdvdna000000000000000003")]
    project_id: String,
    /// The branch it follows.
    #[schema(example = "main")]
    branch: String,
    kind: EnvironmentKindView,
    /// The first label of its address; never changes.
    #[schema(example = "main-my-app")]
    host: String,
    /// Its address.
    #[schema(example = "http://main-my-app.localhost:8081")]
    url: String,
    state: EnvironmentStateView,
    /// Whether the next request starts its app again: it is paused since none came for a while.
    wakes_on_request: bool,
    /// Why no app answers, in the state `failed`.
    reason: Option<String>,
    /// The deployment whose app answers, or will when the environment is resumed, if there is one.
    #[schema(example = "dep_01kdvdna000000000000000006")]
    live_deployment_id: Option<String>,
    /// Its newest deployment; absent where there is none, and in the answers to
    /// pause, resume and destroy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latest_deployment: Option<DeploymentView>,
    /// When it was last asked that something be deployed to it. The time that the project gives
    /// its previews runs from here.
    refreshed_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Whether an environment lasts until somebody destroys it, or as long as its branch at most: then
/// it came with a push.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = EnvironmentKind)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EnvironmentKindView {
    Persistent,
    Preview,
}

/// Where an environment is in its life.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = EnvironmentState)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EnvironmentStateView {
    Provisioning,
    Active,
    Paused,
    Resetting,
    Failed,
    Destroying,
    Destroyed,
}

impl EnvironmentView {
    pub(crate) fn new(environment: Environment, apps: &AppAddress) -> Self {
        let wakes_on_request = environment.wakes_on_request();
        let Environment {
            id,
            organization_id: _,
            resources: _,
            project_id,
            branch,
            kind,
            host,
            state,
            live_deployment,
            was_live: _,
            is_set_up: _,
            refreshed_at,
            visited_at: _,
            created_at,
            updated_at,
            version: _,
        } = environment;
        let (state, reason) = match state {
            EnvironmentState::Provisioning => (EnvironmentStateView::Provisioning, None),
            EnvironmentState::Active => (EnvironmentStateView::Active, None),
            EnvironmentState::Paused { by: _ } => (EnvironmentStateView::Paused, None),
            EnvironmentState::Resetting => (EnvironmentStateView::Resetting, None),
            EnvironmentState::Failed { reason } => (EnvironmentStateView::Failed, Some(reason)),
            EnvironmentState::Destroying => (EnvironmentStateView::Destroying, None),
            EnvironmentState::Destroyed { at: _ } => (EnvironmentStateView::Destroyed, None),
        };
        Self {
            id: id.to_string(),
            project_id: project_id.to_string(),
            branch: branch.to_string(),
            kind: match kind {
                EnvironmentKind::Persistent => EnvironmentKindView::Persistent,
                EnvironmentKind::Preview => EnvironmentKindView::Preview,
            },
            url: apps.url(&host),
            host: host.to_string(),
            state,
            wakes_on_request,
            reason,
            live_deployment_id: live_deployment.map(|id| id.to_string()),
            latest_deployment: None,
            refreshed_at,
            created_at,
            updated_at,
        }
    }

    pub(crate) fn of_detail(detail: EnvironmentDetail, apps: &AppAddress) -> Self {
        let EnvironmentDetail { environment, latest_deployment } = detail;
        Self {
            latest_deployment: latest_deployment.map(DeploymentView::from),
            ..Self::new(environment, apps)
        }
    }
}

/// The version of an environment that a client sees. Its newest deployment is shown with it and
/// moves on by itself.
pub(crate) fn tag(detail: &EnvironmentDetail) -> Tag {
    let shown = detail.latest_deployment.as_ref().map(|found| found.updated_at.timestamp_micros());
    Tag { version: detail.environment.version, shown }
}
