//! `windlass deploy`

use clap::Args;

use super::{target::EnvironmentOption, watch::Follow};
use crate::{client::Address, context::Context, failure::Result};

/// Deploy the latest commit of a branch.
#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    environment: EnvironmentOption,
    #[command(flatten)]
    follow: Follow,
}

impl Deploy {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self { environment, follow } = self;
        let client = context.client()?;
        let environment = environment.find(client)?;
        let asked = client.order(&Address::of(["environments", &environment.id, "rebuild"]))?;
        follow.deployment(context, &asked)
    }
}
