//! Tokens: Biscuits that anybody who holds one can narrow, and hand on, without asking.
//!
//! A token is a chain of signed blocks. The first one, made by [`mint_token`] and signed with a
//! root key, says whose token it is and what it may do. Whoever holds the token can append blocks
//! ([`attenuate`]), which only take away: the facts in them say nothing about who somebody is or
//! what they may do. [`TokenVerifier`] turns a presented token into a [`crate::Principal`], which
//! carries the checks of all blocks along, and [`crate::authorize`] asks them about every use.
//!
//! # Vocabulary
//!
//! | in the first block | |
//! |---|---|
//! | `account("org_…")`, `user("usr_…")`, `token("tok_…")` | whose it is, and which one |
//! | `right({"projects:read", …})` | what it may do, never more than the user's role allows now |
//! | `projects({"proj_…", …})` | the only projects that it reaches |
//!
//! | about each use | |
//! |---|---|
//! | `time(2026-01-01T00:00:00Z)` | when, to the second |
//! | `operation("read")` or `operation("write")` | what kind of thing is to be done |
//! | `permission("projects:read")` | the permission that it takes |
//! | `project("proj_…")`, `environment("env_…")`, `deployment("dep_…")` | what it is, or is in |
//! | `collection("projects")` | it is the list of projects, or of what is in them |
//! | `ip("192.0.2.7")`, `network("192.0.2.0/24")`, … | from where: the address, and every network that it is in |
//!
//! Two facts narrow in any block: `projects({…})` takes all other projects out of every list, and
//! `link(true)` makes a token that is good for a link only.

mod checks;
mod cost;
mod directory;
mod inspect;
mod mint;
mod narrow;
mod parsed;
mod root_keys;
#[cfg(test)]
mod samples;
mod text;
mod topics;
mod verifier;
mod vocabulary;

pub use self::{
    directory::{TokenDirectory, TokenEntry},
    inspect::{InspectedBlock, Inspection, inspect},
    mint::{MintTokenError, MintedToken, NewToken, mint_token},
    narrow::{NarrowError, Narrowing, attenuate, seal},
    root_keys::RootKeys,
    text::{MalformedToken, PlainToken, looks_like_token},
    verifier::{TokenError, TokenVerifier},
};
