//! `windlass check`

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use clap::Args;
use windlass_manifest::{FILE_NAMES, MAX_BYTES};

use crate::{
    context::Context,
    failure::{Failure, Result},
    output,
};

/// Check the file with which a repository says how it is built and run.
///
/// It is `windlass.yaml`, or `nexos.yaml` where that is missing. No server is asked.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The folder of the repository.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Print the file's JSON Schema instead, for editors.
    #[arg(long, conflicts_with = "folder")]
    schema: bool,
}

impl Check {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self { folder, schema } = self;
        if schema {
            return output::json(&windlass_manifest::json_schema());
        }
        for name in FILE_NAMES {
            if let Some(bytes) = read(&folder.join(name))? {
                windlass_manifest::parse(name, bytes).map_err(Failure::Manifest)?;
                return context.output.done(format_args!("{name} is fine"));
            }
        }
        let names = FILE_NAMES.join(" or ");
        Err(Failure::Failed(format!("there is no {names} in {}", folder.display())))
    }
}

/// A file, or one byte more of it than it may have; nothing where there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(Failure::file("reading", path)(err)),
    }
}
