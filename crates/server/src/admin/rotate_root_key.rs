//! `windlass-server admin rotate-root-key`

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use windlass_control::{NewRootKey, OldKeys, rotate_root_key};
use windlass_domain::{Effects, OsEntropy, SystemClock};
use windlass_storage::Store;

use crate::data_dir;

/// What becomes of the keys that are there.
#[derive(Args)]
pub(super) struct Arguments {
    /// Drop all older keys: whatever they have signed is refused from now on, links included. For
    /// when one of them may be in wrong hands.
    #[arg(long)]
    drop_old: bool,
}

pub(super) async fn run(
    store: &dyn Store,
    data_dir: &Path,
    arguments: &Arguments,
) -> anyhow::Result<ExitCode> {
    let keyring = data_dir::keyring_in(data_dir)?;
    let fx = Effects { clock: &SystemClock, entropy: &OsEntropy };
    let old = if arguments.drop_old { OldKeys::Drop } else { OldKeys::Verify };
    let new = rotate_root_key(store, &keyring, fx, old).await.context("cannot make a key")?;
    let NewRootKey { number, public_key } = new;
    crate::print(&format!("tokens are signed with key {number} from now on: {public_key}"))?;
    Ok(ExitCode::SUCCESS)
}
