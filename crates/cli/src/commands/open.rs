//! `windlass open`

use std::io::{self, IsTerminal as _};

use clap::Args;

use super::target::EnvironmentOption;
use crate::{
    context::Context,
    failure::{Failure, Result},
    output,
};

/// Open an app in the browser. Where there is no terminal, only its address is printed.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// The environment, by its id or branch.
    environment: Option<String>,
    #[command(flatten)]
    option: EnvironmentOption,
    /// Only print its address.
    #[arg(long)]
    print: bool,
}

impl Open {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self { environment, option, print } = self;
        let environment = option.find_or(context.client()?, environment.as_deref())?;
        if context.output.is_json() {
            return output::json(&environment.json);
        }
        let url = &environment.url;
        output::text(url)?;
        if print || !io::stdout().is_terminal() {
            return Ok(());
        }
        // The server says it: it must not start anything but a browser.
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(Failure::Failed("that is not an address of the web".to_owned()));
        }
        ::open::that_detached(url)
            .map_err(|err| Failure::Failed(format!("no browser could be opened: {err}")))
    }
}
