//! Gets certificates from an authority that speaks ACME (RFC 8555), such as Let's Encrypt.
//!
//! That a host is ours is shown over plain HTTP (`http-01`): the authority asks the host for a
//! text, and whoever answers at the host learns it from a [`ChallengeSolver`]. Nothing is kept
//! here: what an account and a certificate come to is handed out as text, to be stored by others.

mod account;
mod authority;
mod config;
mod error;
mod host;
mod http;
mod issued;
mod order;
mod patience;
mod problem;
mod renewal;
mod solver;

pub use crate::{
    account::Account,
    authority::Authority,
    config::{AuthorityConfig, ExternalAccount},
    error::{AcmeError, Invalid},
    issued::Issued,
    problem::{Problem, Refusal},
    renewal::renew_at,
    solver::{ChallengeSolver, SolverError},
};
