//! The one place that reads the environment, beside what clap reads for options.

use std::env;

use secrecy::SecretString;

/// A credential that is to be used instead of a stored one. It is no option: those can be seen by
/// everybody on the machine.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub(crate) fn token() -> Option<SecretString> {
    let token = env::var("WINDLASS_TOKEN").ok()?;
    let token = token.trim();
    (!token.is_empty()).then(|| token.into())
}
