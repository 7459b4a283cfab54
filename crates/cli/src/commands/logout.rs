//! `windlass logout`

use clap::Args;

use crate::{
    client::{Address, Client, Nothing},
    context::Context,
    failure::{Failure, Result},
    output,
    profile::{Forgotten, Origin, Profile, Profiles},
};

/// Forget the stored credential of a profile.
///
/// A token from `windlass login` ends with that. An API key goes on working: `windlass keys revoke`
/// ends it.
#[derive(Debug, Args)]
pub(crate) struct Logout {}

impl Logout {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let Profile { name, .. } = context.profile()?;
        let Some(forgotten) = Profiles::load()?.forget_credential(&name)? else {
            return context.output.done(format_args!("profile {name} has no credential"));
        };
        context.output.done(format_args!("forgot the credential of profile {name}"))?;
        end(forgotten).inspect_err(|_| {
            output::note("but the token goes on working: end it with `windlass tokens revoke`");
        })
    }
}

/// Ends what was stored, where it was made to be stored there. What was given by somebody goes on
/// working.
pub(super) fn end(forgotten: Forgotten) -> Result<()> {
    let Forgotten { server, token, origin } = forgotten;
    match origin {
        Origin::Given => return Ok(()),
        Origin::Login => {}
    }
    let ended =
        Client::new(server.parse()?, token).delete::<Nothing>(&Address::of(["auth", "token"]));
    match ended {
        // It has ended already.
        Err(Failure::Refused(refusal)) if refusal.status == 401 => Ok(()),
        ended => ended.map(drop),
    }
}
