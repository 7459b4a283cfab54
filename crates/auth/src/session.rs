//! Sessions: what a browser presents of somebody who has signed in.

mod directory;
mod keys;
mod signed;
mod verifier;

pub use self::{
    directory::{SessionDirectory, SessionEntry},
    keys::SessionKeys,
    signed::{PlainSession, SignSessionError, session_key_of, sign_session},
    verifier::{SessionError, SessionVerifier},
};
