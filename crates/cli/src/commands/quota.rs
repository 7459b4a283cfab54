//! `windlass quota`

use clap::Args;
use serde::Deserialize;

use crate::{client::Address, context::Context, failure::Result, output::Show};

/// Show what the organization uses and may use.
#[derive(Debug, Args)]
pub(crate) struct Quota {}

/// Use and limits.
#[derive(Debug, Deserialize)]
struct Found {
    plan: String,
    usage: Usage,
    limits: Limits,
}

#[derive(Debug, Deserialize)]
struct Usage {
    projects: u64,
    total_cpu: f64,
    total_memory_mb: u64,
    build_minutes_used: u64,
}

#[derive(Debug, Deserialize)]
struct Limits {
    max_projects: u64,
    max_cpu: f64,
    max_memory_mb: u64,
    build_minutes: u64,
}

/// What servers say where there is no limit.
const UNLIMITED: u64 = 2_147_483_647;

impl Quota {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        context.output.one(&context.client()?.get::<Found>(&Address::of(["quota"]))?)
    }
}

impl Show for Found {
    const COLUMNS: &'static [&'static str] =
        &["Plan", "Projects", "CPUs", "Memory (MiB)", "Build minutes"];

    fn cells(&self) -> Vec<String> {
        let Self { plan, usage, limits } = self;
        vec![
            plan.clone(),
            of(usage.projects, limits.max_projects),
            cpus(usage.total_cpu, limits.max_cpu),
            of(usage.total_memory_mb, limits.max_memory_mb),
            of(usage.build_minutes_used, limits.build_minutes),
        ]
    }
}

fn of(used: u64, limit: u64) -> String {
    if limit < UNLIMITED { format!("{used} of {limit}") } else { used.to_string() }
}

fn cpus(used: f64, limit: f64) -> String {
    if limit < 2_147_483_647.0 { format!("{used} of {limit}") } else { used.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{cpus, of};

    #[test]
    fn what_has_no_limit_is_shown_alone() {
        assert_eq!(of(2, 25), "2 of 25");
        assert_eq!(of(2, 2_147_483_647), "2");
        assert_eq!(cpus(14.5, 64.0), "14.5 of 64");
        assert_eq!(cpus(14.5, 2_147_483_647.0), "14.5");
    }
}
