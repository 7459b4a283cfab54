//! `windlass man`

use std::{fs, path::PathBuf};

use clap::{Args, CommandFactory as _};

use crate::{
    arguments::Arguments,
    context::Context,
    failure::{Failure, Result},
};

/// Write the manual's pages into a folder.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder; it is made where it is missing.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(self, _: &Context) -> Result<()> {
        let Self { folder } = self;
        fs::create_dir_all(&folder).map_err(Failure::file("making", &folder))?;
        let written = clap_mangen::generate_to(Arguments::command(), &folder);
        written.map_err(Failure::file("writing pages into", &folder))
    }
}
