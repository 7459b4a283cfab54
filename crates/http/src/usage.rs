//! What builds cost.

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use windlass_auth::Permission;
use windlass_control::{Caller, Control, UsagePeriod};
use windlass_domain::UsageTotals;

use crate::{
    extract::Query,
    moment::moment,
    operation::{Operation, needs},
    problem::{ErrorBody, Problem},
};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::UsageRead, routes!(get_usage)),
        needs(Permission::UsageRead, routes!(get_usage_at_root)).for_use_case("get_usage"),
    ]
}

/// Which period to sum over.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageQuery {
    /// Its beginning: an ISO 8601 date (midnight, UTC) or date-time.
    #[param(example = "2026-01-01")]
    from: Option<String>,
    /// Its end, itself not in it: an ISO 8601 date (midnight, UTC) or date-time.
    #[param(example = "2026-02-01T00:00:00Z")]
    to: Option<String>,
}

/// Sums over the billable builds that ended in a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BillableUsage)]
pub(crate) struct BillableUsageView {
    /// CPU time of the billable builds, in whole seconds.
    #[schema(example = 316)]
    billable_cpu_seconds: u64,
    /// The billable builds.
    #[schema(example = 251)]
    billable_build_count: u64,
}

/// Sums over the builds that ended in a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageView {
    /// CPU time of the billable builds, in whole seconds.
    #[schema(example = 316)]
    billable_cpu_seconds: u64,
    /// The billable builds.
    #[schema(example = 251)]
    billable_build_count: u64,
    /// CPU time of all builds, in seconds.
    #[schema(example = 340.25)]
    cpu_seconds: f64,
    /// All builds that ran.
    #[schema(example = 260)]
    build_count: u64,
}

/// Sum up what builds used.
///
/// A build counts in the period in which it ended. With a credential that is bound to projects,
/// only their builds count.
#[utoipa::path(
    get,
    path = "/api/usage",
    tag = "usage",
    params(UsageQuery),
    responses(
        (status = 200, description = "The sums", body = UsageView),
        (status = 422, description = "The end is earlier than the beginning", body = ErrorBody),
    ),
)]
pub(crate) async fn get_usage(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<UsageQuery>,
) -> Result<Json<UsageView>, Problem> {
    let totals = windlass_control::get_usage(&control, &caller, query.period()?).await?;
    Ok(Json(totals.into()))
}

/// Sum up what billable builds used.
///
/// Where clients of nixbuild.net look for it, and exactly what they expect there; `/api/usage`
/// tells more.
#[utoipa::path(
    get,
    path = "/usage",
    tag = "usage",
    params(UsageQuery),
    responses(
        (status = 200, description = "The sums", body = BillableUsageView),
        (status = 422, description = "The end is earlier than the beginning", body = ErrorBody),
    ),
)]
pub(crate) async fn get_usage_at_root(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<UsageQuery>,
) -> Result<Json<BillableUsageView>, Problem> {
    let totals = windlass_control::get_usage(&control, &caller, query.period()?).await?;
    Ok(Json(totals.into()))
}

impl UsageQuery {
    fn period(&self) -> Result<UsagePeriod, Problem> {
        Ok(UsagePeriod {
            from: moment("from", self.from.as_deref())?,
            to: moment("to", self.to.as_deref())?,
        })
    }
}

impl From<UsageTotals> for BillableUsageView {
    fn from(totals: UsageTotals) -> Self {
        Self {
            billable_cpu_seconds: totals.billable_cpu_micros / 1_000_000,
            billable_build_count: totals.billable_build_count,
        }
    }
}

impl From<UsageTotals> for UsageView {
    fn from(totals: UsageTotals) -> Self {
        let UsageTotals { cpu_micros, build_count, .. } = totals;
        let BillableUsageView { billable_cpu_seconds, billable_build_count } = totals.into();
        Self {
            billable_cpu_seconds,
            billable_build_count,
            cpu_seconds: seconds(cpu_micros),
            build_count,
        }
    }
}

/// Exact up to 285 years of CPU time.
#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 microseconds nobody needs the last one"
)]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}
