//! `windlass login`

mod browser;
mod listener;

use std::time::Duration;

use clap::Args;
use secrecy::SecretString;

use self::browser::Wish;
use super::{logout, whoami};
use crate::{
    client::{Client, Server},
    context::Context,
    duration,
    failure::{Failure, Result},
    input, output,
    profile::{Origin, Profile, Profiles},
};

/// Log in to a server, in your browser or with an API key.
///
/// The browser comes to a page of the server, where you sign in and allow it. What is stored then
/// is a token of yours that is listed by `windlass tokens list` and ended by `windlass logout`. It
/// goes into a file that only you can read (`credentials.toml` in the folder `windlass` of
/// `$XDG_CONFIG_HOME`, else of `~/.config`), under the name of the profile, and is sent to this
/// server alone.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The server's address, as with --server.
    url: Option<Server>,
    /// Ask for an API key, or read it from standard input.
    #[arg(long)]
    with_key: bool,
    /// Only print the address that is to be opened in a browser of this machine.
    #[arg(long, conflicts_with = "with_key")]
    no_browser: bool,
    /// After how long the token stops working by itself, such as `12h`; 90 days by default.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, conflicts_with = "with_key")]
    expires_in: Option<u64>,
    /// How long to wait for the browser.
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration::parse,
        default_value = "5m",
        conflicts_with = "with_key"
    )]
    timeout: u64,
}

impl Login {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self { url, with_key, no_browser, expires_in, timeout } = self;
        let profile = context.profile_at(url.map(|url| url.to_string()).as_deref())?;
        let server = &profile.server;
        if server.is_open() {
            output::note(format_args!("warning: what is sent to {server} is not encrypted"));
        }
        if with_key {
            let token = key(&profile)?;
            return keep(context, profile, token, Origin::Given);
        }
        let wish = Wish {
            opens_browser: !no_browser,
            life: expires_in,
            patience: Duration::from_secs(timeout),
        };
        let token = browser::token(server, wish)?;
        keep(context, profile, token, Origin::Login)
    }
}

/// Makes sure that a credential is good, and stores it. A token that an earlier login has left there
/// is of no use to anybody any more.
fn keep(context: &Context, profile: Profile, token: SecretString, origin: Origin) -> Result<()> {
    let me = whoami::ask(&Client::new(profile.server.clone(), token.clone()))?;
    let profile = Profile { token: Some(token), ..profile };
    if let Some(replaced) = Profiles::load()?.store(&profile, origin)?
        && let Err(err) = logout::end(replaced)
    {
        output::note(format_args!("the token of before goes on working: {err}"));
    }
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
