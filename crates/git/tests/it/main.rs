//! The real `git` program, on real repositories.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod http_backend;
mod private;
mod remote;
mod repository;
