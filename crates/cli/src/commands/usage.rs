//! `windlass usage`

use clap::Args;
use serde::Deserialize;

use crate::{client::Address, context::Context, failure::Result, output::Show};

/// Show what builds have cost.
#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// Since when: a date (midnight, UTC) or a time, such as `2026-01-01`.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until when, itself not counted.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

/// Sums over builds.
#[derive(Debug, Deserialize)]
struct Sums {
    billable_cpu_seconds: u64,
    billable_build_count: u64,
    cpu_seconds: f64,
    build_count: u64,
}

impl Usage {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self { from, to } = self;
        let address = Address::of(["usage"]);
        let address = address.with_some("from", from.as_deref()).with_some("to", to.as_deref());
        context.output.one(&context.client()?.get::<Sums>(&address)?)
    }
}

impl Show for Sums {
    const COLUMNS: &'static [&'static str] =
        &["Billable CPU seconds", "Billable builds", "CPU seconds", "Builds"];

    fn cells(&self) -> Vec<String> {
        let Self { billable_cpu_seconds, billable_build_count, cpu_seconds, build_count } = self;
        vec![
            billable_cpu_seconds.to_string(),
            billable_build_count.to_string(),
            format!("{cpu_seconds:.2}"),
            build_count.to_string(),
        ]
    }
}
