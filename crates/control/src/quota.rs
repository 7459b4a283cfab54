//! How much an organization may use, and that it uses no more.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, Utc};
use windlass_auth::{Permission, Target};
use windlass_domain::{Amounts, Organization, OrganizationId, PlanName, Resources};
use windlass_engine::AppLimits;
use windlass_storage::{Holding, UnitOfWork};

use crate::{Caller, Causes, Control, ControlError, worker::app_limits};

/// What organizations may use: each has a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plans {
    /// The plan of those that nobody has given another.
    default: PlanName,
    limits: HashMap<PlanName, Amounts>,
}

/// What an organization uses, and may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Its plan.
    pub plan: PlanName,
    /// What it uses.
    pub used: Amounts,
    /// What it may use.
    pub limits: Amounts,
    /// How many builds run.
    builds: u64,
}

impl Default for Plans {
    /// One plan, without limits.
    fn default() -> Self {
        let default = PlanName::default();
        let limits = HashMap::from([(default.clone(), Amounts::UNLIMITED)]);
        Self { default, limits }
    }
}

impl Plans {
    /// Plans, one of which is everybody's who has no other. `None` where that one is not there.
    #[must_use]
    pub fn new(default: PlanName, limits: HashMap<PlanName, Amounts>) -> Option<Self> {
        limits.contains_key(&default).then_some(Self { default, limits })
    }

    /// Whether there is a plan of this name.
    #[must_use]
    pub fn has(&self, name: &PlanName) -> bool {
        self.limits.contains_key(name)
    }

    /// An organization's plan. One that is not configured any more counts as none.
    fn of(&self, organization: &Organization) -> (&PlanName, Amounts) {
        let own = organization.plan.as_ref().and_then(|plan| self.limits.get_key_value(plan));
        let found = own.or_else(|| self.limits.get_key_value(&self.default));
        found.map_or((&self.default, Amounts::UNLIMITED), |(name, limits)| (name, *limits))
    }
}

impl Quota {
    fn check(&self, more: &Amounts) -> Result<(), ControlError> {
        self.limits.check(&self.used, more).map_err(|exceeded| {
            let message = format!("the organization's plan `{}` {exceeded}", self.plan);
            ControlError::refused("quota_exceeded", message)
        })
    }
}

/// Tells what the caller's organization uses and may use.
pub async fn get_quota(control: &Control, caller: &Caller) -> Result<Quota, ControlError> {
    let id = caller.organization();
    caller.may_read(Permission::UsageRead, Target::organization(id))?;
    let mut uow = control.store().read().await?;
    let organization = uow.organizations().find(id).await?;
    quota_of(control, &mut *uow, &organization.ok_or(ControlError::NotFound("organization"))?).await
}

/// Makes sure that so much more can be used, and that nobody else takes it before this unit of
/// work has ended. Whoever holds a project or an environment besides holds it already.
pub(crate) async fn take(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    organization: OrganizationId,
    more: Amounts,
) -> Result<(), ControlError> {
    let held = uow.organizations().find_for_update(organization).await?;
    let held = held.ok_or(ControlError::NotFound("organization"))?;
    quota_of(control, uow, &held).await?.check(&more)
}

/// The least that a build takes: with it, one may begin as long as there is any time left.
pub(crate) const A_BUILD: Amounts =
    Amounts { projects: 0, environments: 0, cpu_millis: 0, memory_mb: 0, build_millis: 1 };

/// What so many environments take whose apps may use this.
pub(crate) fn environments(control: &Control, resources: Resources, count: u64) -> Amounts {
    let AppLimits { cpu_millis, memory_bytes, .. } = app_limits(control, resources);
    Amounts {
        environments: count,
        cpu_millis: u64::from(cpu_millis).saturating_mul(count),
        memory_mb: (memory_bytes >> 20).saturating_mul(count),
        ..Amounts::default()
    }
}

/// What a project's environments take if those without anything of their own may use this.
pub(crate) fn held(control: &Control, resources: Resources, holding: &Holding) -> Amounts {
    let alike = u64::try_from(holding.own.len()).unwrap_or(u64::MAX);
    let alike = environments(control, resources, holding.environments.saturating_sub(alike));
    holding.own.iter().fold(alike, |sum, own| {
        let one = environments(control, own.or(resources), 1);
        Amounts {
            environments: sum.environments + 1,
            cpu_millis: sum.cpu_millis + one.cpu_millis,
            memory_mb: sum.memory_mb + one.memory_mb,
            ..sum
        }
    })
}

/// By how much CPUs and memory have grown.
pub(crate) fn growth(before: &Amounts, after: &Amounts) -> Amounts {
    Amounts {
        cpu_millis: after.cpu_millis.saturating_sub(before.cpu_millis),
        memory_mb: after.memory_mb.saturating_sub(before.memory_mb),
        ..Amounts::default()
    }
}

/// Waits until the time for an organization's builds is used up, and tells why they must end.
pub(crate) async fn until_build_time_is_up(
    control: &Control,
    organization: OrganizationId,
) -> String {
    loop {
        match build_time_left(control, organization).await {
            // Another build may begin and take its share meanwhile.
            Ok(left) => tokio::time::sleep(left.min(control.settings().reconcile)).await,
            Err(ControlError::Refused { message, .. }) => return message,
            Err(err) => {
                tracing::warn!(error = %Causes(&err), "cannot see how much build time is left");
                tokio::time::sleep(control.settings().poll).await;
            }
        }
    }
}

/// How long all builds that run now can go on; refused if they can't.
async fn build_time_left(
    control: &Control,
    organization: OrganizationId,
) -> Result<Duration, ControlError> {
    let mut uow = control.store().read().await?;
    let found = uow.organizations().find(organization).await?;
    let found = found.ok_or(ControlError::NotFound("organization"))?;
    let quota = quota_of(control, &mut *uow, &found).await?;
    quota.check(&A_BUILD)?;
    let left = quota.limits.build_millis - quota.used.build_millis;
    Ok(Duration::from_millis(left / quota.builds.max(1) + 1))
}

async fn quota_of(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    organization: &Organization,
) -> Result<Quota, ControlError> {
    let (plan, limits) = control.settings().plans.of(organization);
    let mut used = Amounts::default();
    for holding in uow.projects().list_holdings(organization.id).await? {
        let more = held(control, holding.resources, &holding);
        used = Amounts {
            projects: used.projects + 1,
            environments: used.environments + more.environments,
            cpu_millis: used.cpu_millis + more.cpu_millis,
            memory_mb: used.memory_mb + more.memory_mb,
            build_millis: 0,
        };
    }
    let now = control.fx().clock.now();
    let time = uow.builds().time_since(organization.id, month_of(now)).await?;
    let builds = u64::try_from(time.running_since.len()).unwrap_or(u64::MAX);
    let running = time.running_since.iter().map(|since| millis_between(*since, now));
    used.build_millis = running.fold(time.ended_millis, u64::saturating_add);
    Ok(Quota { plan: plan.clone(), used, limits, builds })
}

/// Since when the month lasts, in which builds count that end now.
fn month_of(now: DateTime<Utc>) -> DateTime<Utc> {
    let first = NaiveDate::from_ymd_opt(now.year(), now.month(), 1);
    first.unwrap_or_else(|| now.date_naive()).and_time(NaiveTime::MIN).and_utc()
}

fn millis_between(since: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    u64::try_from((now - since).num_milliseconds()).unwrap_or(0)
}
