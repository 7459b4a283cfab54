//! What organizations may use, as `[quotas]` says.

use anyhow::{Context as _, ensure};
use windlass_control::Plans;
use windlass_domain::{Amounts, PlanName};

use crate::config::{Plan, Quotas};

/// The plans of a configuration.
///
/// # Errors
/// Names the key that is wrong.
pub(crate) fn of(quotas: &Quotas) -> anyhow::Result<Plans> {
    let plan = |(name, plan): (&String, &Plan)| {
        let at = || format!("quotas.plans.{name}");
        let limits = limits(plan).with_context(at)?;
        Ok((name.parse::<PlanName>().with_context(at)?, limits))
    };
    let limits = quotas.plans.iter().map(plan).collect::<anyhow::Result<_>>()?;
    let default = &quotas.plan;
    Plans::new(default.parse().context("quotas.plan")?, limits)
        .with_context(|| format!("quotas.plan: there is no section [quotas.plans.{default}]"))
}

fn limits(plan: &Plan) -> anyhow::Result<Amounts> {
    let Plan { max_projects, max_environments, max_cpu, max_memory_mb, build_minutes } = *plan;
    let cpus = max_cpu.unwrap_or(0.0);
    ensure!((0.0..=1_000_000.0).contains(&cpus), "max_cpu must be a number of CPUs from 0 on");
    let any = Amounts::UNLIMITED;
    let limits = Amounts {
        projects: max_projects.map_or(any.projects, u64::from),
        environments: max_environments.map_or(any.environments, u64::from),
        cpu_millis: max_cpu.map_or(any.cpu_millis, millis),
        memory_mb: max_memory_mb.map_or(any.memory_mb, u64::from),
        ..any
    };
    Ok(build_minutes.map_or(limits, |minutes| limits.with_build_minutes(minutes.into())))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it was checked to lie between 0 and a million"
)]
fn millis(cpus: f64) -> u64 {
    (cpus * 1_000.0).round() as u64
}
