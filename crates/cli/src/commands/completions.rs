//! `windlass completions`

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{
    arguments::Arguments,
    context::Context,
    failure::{Failure, Result},
};

/// Print a script that completes commands in a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, _: &Context) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "windlass", &mut script);
        io::stdout().write_all(&script).map_err(Failure::Output)
    }
}
