//! `windlass profiles`

use clap::Subcommand;

use super::logout;
use crate::{
    client::Answer,
    context::Context,
    failure::Result,
    output::Show,
    profile::{Listed, Profiles as Stored},
};

/// Servers that you have logged in to
///
/// `windlass login --profile NAME --server URL` adds one.
#[derive(Debug, Subcommand)]
pub(crate) enum Profiles {
    /// List the profiles and their servers.
    List,
    /// Use a profile where none is named.
    Use {
        /// Its name.
        name: String,
    },
    /// Forget a profile and its credential.
    Remove {
        /// Its name.
        name: String,
    },
}

impl Profiles {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let stored = Stored::load()?;
        match self {
            Self::List => {
                let listed = stored.list().into_iter().map(|value| {
                    let json = serde_json::to_value(&value).unwrap_or_default();
                    Answer { value, json }
                });
                context.output.many(&listed.collect::<Vec<_>>())
            }
            Self::Use { name } => {
                stored.make_current(&name)?;
                context.output.done(format_args!("using profile {name}"))
            }
            Self::Remove { name } => {
                let forgotten = stored.remove(&name)?;
                context.output.done(format_args!("removed profile {name}"))?;
                forgotten.map_or(Ok(()), logout::end)
            }
        }
    }
}

impl Show for Listed {
    const COLUMNS: &'static [&'static str] = &["Name", "Server", "Credential", "Current"];

    fn cells(&self) -> Vec<String> {
        let Self { name, server, has_credential, is_current } = self;
        let yes = |it: bool| if it { "yes" } else { "" }.to_owned();
        vec![name.clone(), server.clone(), yes(*has_credential), yes(*is_current)]
    }
}
