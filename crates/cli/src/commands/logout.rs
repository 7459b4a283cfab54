//! `windlass logout`

use clap::Args;

use crate::{
    context::Context,
    failure::Result,
    profile::{Profile, Profiles},
};

/// Forget the stored credential of a profile.
///
/// The key itself goes on working: `windlass keys revoke` ends it.
#[derive(Debug, Args)]
pub(crate) struct Logout {}

impl Logout {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let Profile { name, .. } = context.profile()?;
        if Profiles::load()?.forget_credential(&name)? {
            context.output.done(format_args!("forgot the credential of profile {name}"))
        } else {
            context.output.done(format_args!("profile {name} has no credential"))
        }
    }
}
