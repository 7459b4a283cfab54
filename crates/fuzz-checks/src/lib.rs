//! What holds for each kind of text from outside, whatever it is.
//!
//! Each check takes any bytes and panics where something does not hold. `cargo fuzz` looks for
//! such bytes, and those that it found interesting before are tests.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test itself")]
#![expect(clippy::missing_panics_doc, reason = "to panic is what checks are for")]

mod api_key;
mod authorization;
mod forwarded;
mod network;
mod redirect;
mod session_cookie;
mod token;
mod token_block;
mod world;

pub use crate::{
    api_key::check as api_key, authorization::check as authorization,
    forwarded::check as forwarded, network::check as network, redirect::check as redirect,
    session_cookie::check as session_cookie, token::check as token,
    token_block::check as token_block,
};

/// A check.
pub type Check = fn(&[u8]);

/// Every check, by the name of its fuzz target and of its corpus.
pub const ALL: [(&str, Check); 8] = [
    ("api_key", api_key),
    ("authorization", authorization),
    ("forwarded", forwarded),
    ("network", network),
    ("redirect", redirect),
    ("session_cookie", session_cookie),
    ("token", token),
    ("token_block", token_block),
];
