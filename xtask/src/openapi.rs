//! The API's description: generated from the handlers, checked in, compared. Once as the server
//! says it, and once in OpenAPI 3.0 for generators that read nothing newer.

use std::{fs, process::Command};

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::{process, server, terminal, workspace};

mod three_zero;

/// Where what the server says is kept.
const PATH: &str = "openapi/windlass.json";
/// Where the same in OpenAPI 3.0 is kept.
const PATH_3_0: &str = "openapi/windlass-3.0.json";

#[derive(Args)]
pub(crate) struct Options {
    /// Fail where a file differs, instead of writing it.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    server: server::Binary,
}

impl Options {
    /// Compares with the files, using the binary that is there.
    pub(crate) fn check(server: server::Binary) -> Self {
        Self { check: true, server }
    }
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let binary = options.server.debug().await?;
    let document = process::read(Command::new(binary).arg("openapi"))?;
    let rendering = serde_json::from_str(&document).context("reading what the server says")?;
    let rendering = three_zero::render(rendering).context("rendering it in OpenAPI 3.0")?;
    keep(PATH, document, options.check)?;
    keep(PATH_3_0, serde_json::to_string_pretty(&rendering)?, options.check)
}

/// Writes a file where it differs, or fails where it is only to be compared.
fn keep(name: &str, mut text: String, check: bool) -> anyhow::Result<()> {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let path = workspace::root().join(name);
    if fs::read_to_string(&path).is_ok_and(|current| current == text) {
        return Ok(());
    }
    ensure!(!check, "{name} is not what the handlers say: run `cargo xtask openapi`");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(&path, text).with_context(|| format!("writing {name}"))?;
    terminal::say(format_args!("wrote {name}"));
    Ok(())
}
