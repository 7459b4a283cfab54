//! How much the organization may use.

use axum::{Extension, Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use windlass_auth::Permission;
use windlass_control::{Caller, Control, Quota};
use windlass_domain::Amounts;

use crate::{
    operation::{Operation, needs},
    problem::Problem,
};

pub(crate) fn operations() -> Vec<Operation> {
    vec![needs(Permission::UsageRead, routes!(get_quota))]
}

/// What the organization uses and may use.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quota)]
pub(crate) struct QuotaView {
    /// The name of its plan.
    #[schema(example = "pro")]
    plan: String,
    usage: QuotaUsageView,
    limits: QuotaLimitsView,
}

/// What the organization uses.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuotaUsage)]
pub(crate) struct QuotaUsageView {
    /// Projects.
    #[schema(example = 12)]
    projects: u64,
    /// CPUs that the apps of all environments may use.
    #[schema(example = 14.5)]
    total_cpu: f64,
    /// Memory that the apps of all environments may use, in MiB.
    #[schema(example = 29_696)]
    total_memory_mb: u64,
    /// Minutes that builds have taken this month (UTC), by the clock on the wall.
    #[schema(example = 2340)]
    build_minutes_used: u64,
}

/// What the organization may use; 2147483647 of something is as much as it likes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuotaLimits)]
pub(crate) struct QuotaLimitsView {
    /// Projects.
    #[schema(example = 25)]
    max_projects: u64,
    /// CPUs that the apps of all environments may use.
    #[schema(example = 64)]
    max_cpu: f64,
    /// Memory that the apps of all environments may use, in MiB.
    #[schema(example = 131_072)]
    max_memory_mb: u64,
    /// Minutes that builds may take in a month (UTC).
    #[schema(example = 5000)]
    build_minutes: u64,
}

/// Tell what the organization uses and may use.
///
/// What would exceed a limit is refused with 403 and `quota_exceeded`, and a message that names
/// the limit, the use and what was asked for. An environment uses what its app may use, as long as
/// it is there. Builds that run when the month's minutes are used up are ended.
#[utoipa::path(
    get,
    path = "/api/quota",
    tag = "usage",
    responses((status = 200, description = "Use and limits", body = QuotaView)),
)]
pub(crate) async fn get_quota(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<QuotaView>, Problem> {
    Ok(Json(windlass_control::get_quota(&control, &caller).await?.into()))
}

impl From<Quota> for QuotaView {
    fn from(quota: Quota) -> Self {
        let Quota { plan, used, limits, .. } = quota;
        Self {
            plan: plan.to_string(),
            usage: QuotaUsageView {
                projects: used.projects,
                total_cpu: cpus(&used),
                total_memory_mb: used.memory_mb,
                build_minutes_used: used.build_minutes(),
            },
            limits: QuotaLimitsView {
                max_projects: limits.projects,
                max_cpu: cpus(&limits),
                max_memory_mb: limits.memory_mb,
                build_minutes: limits.build_minutes(),
            },
        }
    }
}

/// Exact up to 2^53 thousandths of a CPU.
#[expect(clippy::cast_precision_loss, reason = "nobody has so many")]
fn cpus(amounts: &Amounts) -> f64 {
    amounts.cpu_millis as f64 / 1_000.0
}
