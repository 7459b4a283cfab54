//! Starts servers, makes repositories, calls the API.

mod api;
mod browser;
mod postgres;
mod repository;
mod server;

pub(crate) use self::{
    api::{Answer, Api, Deployed, host_of},
    browser::Browser,
    postgres::Postgres,
    repository::Repository,
    server::TestServer,
};
