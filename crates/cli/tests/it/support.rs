//! Starts servers, makes repositories, opens browsers, runs the program.

#[path = "../../../server/tests/it/support/browser.rs"]
mod browser;
#[path = "../../../server/tests/it/support/repository.rs"]
mod repository;
mod server;
mod user;

pub(crate) use self::{
    browser::Browser,
    repository::Repository,
    server::Server,
    user::{Outcome, User},
};
