//! Starts servers, makes repositories, runs the program.

#[path = "../../../server/tests/it/support/repository.rs"]
mod repository;
mod server;
mod user;

pub(crate) use self::{
    repository::Repository,
    server::Server,
    user::{Outcome, User},
};
