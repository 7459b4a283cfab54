//! `windlass-server admin import-keys`

mod line;

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use windlass_auth::ApiKeyId;
use windlass_control::{Arrival, import_keys};
use windlass_domain::{Effects, OrganizationId, OsEntropy, SystemClock};
use windlass_storage::Store;

/// Which keys, and whose they are to be.
#[derive(Args)]
pub(super) struct Arguments {
    /// Whose keys they are to be [default: the organization that was made first].
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// The file; `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What became of all lines.
#[derive(Debug, Default, Serialize)]
struct Report {
    imported: Vec<Key>,
    unchanged: Vec<Key>,
    refused: Vec<Refused>,
}

/// A key that is here now.
#[derive(Debug, Serialize)]
struct Key {
    line: usize,
    id: ApiKeyId,
}

/// A line that is not.
#[derive(Debug, Serialize)]
struct Refused {
    line: usize,
    reason: String,
}

pub(super) async fn run(store: &dyn Store, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let organization = organization(store, arguments.organization).await?;
    let mut report = Report::default();
    let (mut numbers, mut newcomers) = (Vec::new(), Vec::new());
    for (index, text) in read(&arguments.file)?.lines().enumerate() {
        let line = index + 1;
        match line::parse(text) {
            Ok(Some(newcomer)) => {
                numbers.push(line);
                newcomers.push(newcomer);
            }
            Ok(None) => {}
            Err(err) => report.refused.push(Refused { line, reason: format!("{err:#}") }),
        }
    }
    let fx = Effects { clock: &SystemClock, entropy: &OsEntropy };
    let arrivals = import_keys(store, organization, &newcomers, fx).await;
    for (line, arrival) in numbers.into_iter().zip(arrivals.context("cannot store the keys")?) {
        match arrival {
            Arrival::Imported(id) => report.imported.push(Key { line, id }),
            Arrival::Present(id) => report.unchanged.push(Key { line, id }),
            Arrival::Refused(refusal) => {
                report.refused.push(Refused { line, reason: refusal.to_string() });
            }
        }
    }
    report.refused.sort_by_key(|refused| refused.line);
    report.tell()
}

/// The organization that is named, or the first one.
async fn organization(
    store: &dyn Store,
    named: Option<OrganizationId>,
) -> anyhow::Result<OrganizationId> {
    let mut uow = store.read().await?;
    let mut organizations = uow.organizations();
    let found = match named {
        Some(id) => organizations.find(id).await?,
        None => organizations.first_of_everyone().await?,
    };
    match (found, named) {
        (Some(organization), _) => Ok(organization.id),
        (None, Some(id)) => bail!("there is no organization {id}"),
        (None, None) => bail!("there is no organization yet: start the server once"),
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
    } else {
        bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    // What is not UTF-8 makes its own line unreadable, and no other.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Report {
    fn tell(&self) -> anyhow::Result<ExitCode> {
        for Refused { line, reason } in &self.refused {
            crate::complain(&format!("line {line}: {reason}"));
        }
        let (imported, unchanged) = (self.imported.len(), self.unchanged.len());
        let refused = self.refused.len();
        crate::complain(&format!(
            "{imported} imported, {unchanged} were here already, {refused} refused"
        ));
        crate::print(&serde_json::to_string_pretty(self)?)?;
        Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
