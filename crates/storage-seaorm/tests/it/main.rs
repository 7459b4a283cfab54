//! Everything that the database must do, on SQLite or on the server that `WINDLASS_TEST_POSTGRES`
//! names.

mod contract;
mod file;
mod migrations;
mod recovery;
mod signals;
