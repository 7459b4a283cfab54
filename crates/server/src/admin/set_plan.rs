//! `windlass-server admin set-plan`

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use windlass_domain::{Organization, OrganizationId, PlanName};
use windlass_storage::Store;

use crate::{config::Config, plans};

#[derive(Args)]
pub(super) struct Arguments {
    /// The plan: the name of a section `[quotas.plans.NAME]` of the configuration.
    #[arg(required_unless_present = "default")]
    plan: Option<PlanName>,
    /// Whatever plan the configuration says everybody has.
    #[arg(long, conflicts_with = "plan")]
    default: bool,
    /// Whose: an organization's identifier [default: the first one].
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
}

pub(super) async fn run(
    store: &dyn Store,
    config: &Config,
    arguments: &Arguments,
) -> anyhow::Result<ExitCode> {
    let Arguments { plan, default: _, organization } = arguments;
    if let Some(plan) = plan {
        let there_is = plans::of(&config.quotas)?.has(plan);
        ensure!(there_is, "there is no section [quotas.plans.{plan}] in the configuration");
    }
    let mut uow = store.write().await?;
    let id = if let Some(id) = organization {
        *id
    } else {
        let first = uow.organizations().first_of_everyone().await?;
        first.context("there is no organization yet: start the server once")?.id
    };
    let found = uow.organizations().find_for_update(id).await?;
    let found = found.with_context(|| format!("there is no organization {id}"))?;
    uow.organizations().update(&Organization { plan: plan.clone(), ..found }).await?;
    uow.commit().await?;
    Ok(ExitCode::SUCCESS)
}
