//! PostgreSQL: a server for each project, a database and a role for each environment.

mod cluster;
mod databases;
mod dumps;
mod programs;
mod settings;
mod sql;

pub(crate) use self::{
    cluster::Cluster,
    programs::{Installed, installed},
};
