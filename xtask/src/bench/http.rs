//! `bench http`: what looking at a credential costs.

use std::path::Path;

use anyhow::bail;

use super::Measure;

pub(super) fn run(_binary: &Path, _quick: bool) -> anyhow::Result<Vec<Measure>> {
    bail!("not available: the server does not offer the same handler without a credential yet");
}
