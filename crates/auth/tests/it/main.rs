//! Tests of the access engine through its public interface.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test itself")]

mod addresses;
mod decision;
mod importing;
mod key_format;
mod members;
mod minting;
#[cfg(feature = "password")]
mod password;
mod rehashing;
mod rights;
mod secrecy;
#[cfg(feature = "session")]
mod session;
mod support;
#[cfg(feature = "biscuit")]
mod token;
mod traps;
mod verifier;
mod verifier_races;
