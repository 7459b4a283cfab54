//! The command line against a whole server, as a script and as a person would use it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browsing;
mod checking;
mod deploying;
mod failures;
mod login;
mod manual;
mod members;
mod nouns;
mod shell;
mod support;
mod tls;
mod tokens;
