//! Tokens.

mod bounds;
mod inspecting;
mod minting;
mod narrowing;
mod races;
mod root_keys;
mod support;
mod traps;
mod verifying;
