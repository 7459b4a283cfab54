//! `windlass-server admin set-up-link`

use std::process::ExitCode;

use anyhow::Context as _;
use windlass_control::{SetUpFor, offer_set_up};
use windlass_domain::{Effects, OsEntropy, SystemClock};
use windlass_storage::Store;

use crate::{config::Config, serve::set_up_link};

pub(super) async fn run(store: &dyn Store, config: &Config) -> anyhow::Result<ExitCode> {
    let fx = Effects { clock: &SystemClock, entropy: &OsEntropy };
    let secret = offer_set_up(store, fx, SetUpFor::Anybody).await.context("cannot make a link")?;
    let secret = secret.context("there is no owner yet: start the server once")?;
    crate::print(&set_up_link(config, config.server.listen, &secret))?;
    Ok(ExitCode::SUCCESS)
}
