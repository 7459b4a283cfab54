//! `windlass login`

use clap::Args;
use secrecy::SecretString;

use super::whoami;
use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Result},
    input, output,
    profile::{Profile, Profiles},
};

/// Store a credential for a server.
///
/// It goes into a file that only you can read (`credentials.toml` in the folder `windlass` of
/// `$XDG_CONFIG_HOME`, else of `~/.config`), under the name of the profile, and is sent to this
/// server alone.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// Ask for an API key, or read it from standard input.
    #[arg(long, required = true)]
    with_key: bool,
}

impl Login {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self { with_key: _ } = self;
        let profile = context.profile()?;
        let server = &profile.server;
        if server.is_open() {
            output::note(format_args!("warning: what is sent to {server} is not encrypted"));
        }
        let token = key(&profile)?;
        keep(context, profile, token)
    }
}

/// Makes sure that a credential is good, and stores it.
fn keep(context: &Context, profile: Profile, token: SecretString) -> Result<()> {
    let me = whoami::ask(&Client::new(profile.server.clone(), token.clone()))?;
    let profile = Profile { token: Some(token), ..profile };
    Profiles::load()?.store(&profile)?;
    if context.output.is_json() {
        return output::json(&me.json);
    }
    let Profile { name, server, token: _ } = &profile;
    context.output.done(format_args!("logged in to {server} as {} (profile {name})", me.value))
}

fn key(profile: &Profile) -> Result<SecretString> {
    use secrecy::ExposeSecret as _;

    let typed = input::secret(&format!("API key for {}: ", profile.server))?;
    let key = typed.expose_secret().trim();
    if key.is_empty() || !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Failure::Usage("that is not an API key".to_owned()));
    }
    Ok(key.into())
}
