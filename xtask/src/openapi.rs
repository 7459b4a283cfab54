//! The API's description: generated from the handlers, checked in, compared.

use std::{fs, process::Command};

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::{process, server, terminal, workspace};

/// Where it is kept.
const PATH: &str = "openapi/windlass.json";

#[derive(Args)]
pub(crate) struct Options {
    /// Fail where the file differs, instead of writing it.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    server: server::Binary,
}

impl Options {
    /// Compares with the file, using the binary that is there.
    pub(crate) fn check(server: server::Binary) -> Self {
        Self { check: true, server }
    }
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let binary = options.server.debug().await?;
    let mut document = process::read(Command::new(binary).arg("openapi"))?;
    if !document.ends_with('\n') {
        document.push('\n');
    }
    let path = workspace::root().join(PATH);
    if fs::read_to_string(&path).is_ok_and(|current| current == document) {
        return Ok(());
    }
    ensure!(!options.check, "{PATH} is not what the handlers say: run `cargo xtask openapi`");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(&path, document).with_context(|| format!("writing {PATH}"))?;
    terminal::say(format_args!("wrote {PATH}"));
    Ok(())
}
