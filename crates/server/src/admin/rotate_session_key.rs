//! `windlass-server admin rotate-session-key`

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use windlass_control::{OldKeys, rotate_session_key};
use windlass_domain::{Effects, OsEntropy, SystemClock};
use windlass_storage::Store;

use crate::data_dir;

/// What becomes of the keys that are there.
#[derive(Args)]
pub(super) struct Arguments {
    /// Drop all older keys: everybody has to sign in again. For when one of them may be in wrong
    /// hands.
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
    let number = rotate_session_key(store, &keyring, fx, old).await.context("cannot make a key")?;
    crate::print(&format!("sessions are signed with key {number} from now on"))?;
    Ok(ExitCode::SUCCESS)
}
