//! A fresh, migrated database for each test.
//!
//! SQLite in a temporary folder; when `WINDLASS_TEST_POSTGRES` holds the URL of a PostgreSQL
//! server (`postgres://user@127.0.0.1:5432`, or `postgres:///?host=/run/postgresql&user=me` for a
//! socket), a database of its own on that server.

use std::{env, ops::Deref, process, str::FromStr};

use sea_orm::sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, SqliteConnection,
    postgres::PgConnectOptions,
};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::{DatabaseOptions, SeaStore};

mod dump;
mod template;
mod watch;

pub use self::watch::Watch;

/// A store that is gone, with its database, after the test.
#[derive(Debug)]
pub struct TestStore {
    store: SeaStore,
    options: DatabaseOptions,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder { _folder: TempDir },
    Server { server: Box<PgConnectOptions>, database: String },
}

impl TestStore {
    /// How to connect to the same database.
    #[must_use]
    pub fn options(&self) -> &DatabaseOptions {
        &self.options
    }

    /// Another store on the same database, as another server process would have it.
    ///
    /// # Panics
    ///
    /// When the database cannot be reached.
    pub async fn connect_again(&self) -> SeaStore {
        SeaStore::connect(&self.options).await.expect("the database is there")
    }

    /// Runs a statement that the store itself has no use for.
    ///
    /// # Panics
    ///
    /// When the database does not like it.
    pub async fn execute(&self, sql: &str) {
        let url = self.options.url.expose_secret();
        let sql = AssertSqlSafe(sql.to_owned());
        let done = if self.is_postgres() {
            let mut connection = PgConnection::connect(url).await.expect("the database is there");
            connection.execute(sql).await.map(drop)
        } else {
            let mut connection =
                SqliteConnection::connect(url).await.expect("the database is there");
            connection.execute(sql).await.map(drop)
        };
        done.expect("the statement can be run");
    }

    /// Every row of every table, as `table: columns`; bytes are hexadecimal.
    ///
    /// # Panics
    ///
    /// When the database cannot be read.
    pub async fn dump(&self) -> Vec<String> {
        let url = self.options.url.expose_secret();
        if self.is_postgres() {
            let connection = PgConnection::connect(url).await.expect("the database is there");
            dump::postgres(connection).await
        } else {
            let connection = SqliteConnection::connect(url).await.expect("the database is there");
            dump::sqlite(connection).await
        }
    }

    /// Notices from now on what is written, but for some tables (`table`) and columns
    /// (`table.column`).
    ///
    /// # Panics
    ///
    /// When the database cannot be reached, or is watched already.
    pub async fn watch(&self, except: &[&str]) -> Watch {
        Watch::begin(self.options.url.expose_secret(), self.is_postgres(), except).await
    }

    /// Cuts what carries signals between servers on PostgreSQL, for good: no connection can be
    /// made any more, and those that listen are ended. All others go on working.
    ///
    /// # Panics
    ///
    /// When the server cannot be reached.
    pub async fn cut_signals(&self) {
        let Place::Server { server, database } = &self.place else { return };
        let mut admin = PgConnection::connect_with(server).await.expect("the server is there");
        for sql in [
            format!(r#"ALTER DATABASE "{database}" ALLOW_CONNECTIONS false"#),
            format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = '{database}' AND query LIKE 'LISTEN%'"
            ),
        ] {
            admin.execute(AssertSqlSafe(sql)).await.expect("the server obeys");
        }
    }

    /// Whether the database is one that several servers can share.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Server { .. })
    }
}

impl Deref for TestStore {
    type Target = SeaStore;

    fn deref(&self) -> &SeaStore {
        &self.store
    }
}

/// A store of its own for one test.
///
/// # Panics
///
/// When the database cannot be made.
pub async fn fresh_store(test: &str) -> TestStore {
    store_with(Content::Schema, test).await
}

/// The same without a schema.
///
/// # Panics
///
/// When the database cannot be made.
pub async fn fresh_empty_store(test: &str) -> TestStore {
    store_with(Content::Nothing, test).await
}

#[derive(Clone, Copy)]
enum Content {
    Nothing,
    Schema,
}

async fn store_with(content: Content, test: &str) -> TestStore {
    let (place, options) = match server_url() {
        Some(url) => fresh_database(&url, test, content).await,
        None => fresh_file(content).await,
    };
    // Tests run side by side and must not use the server up.
    let options = DatabaseOptions { max_connections: 8, ..options };
    let store = SeaStore::connect(&options).await.expect("the database is there");
    TestStore { store, options, place }
}

#[expect(clippy::disallowed_methods, reason = "the one switch of the tests")]
fn server_url() -> Option<String> {
    env::var("WINDLASS_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

async fn fresh_file(content: Content) -> (Place, DatabaseOptions) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("windlass.db");
    if let Content::Schema = content {
        template::copy_to_file(&file).await;
    }
    let options = DatabaseOptions::sqlite_file(&file).expect("its path is Unicode");
    (Place::Folder { _folder: folder }, options)
}

async fn fresh_database(url: &str, test: &str, content: Content) -> (Place, DatabaseOptions) {
    let server = PgConnectOptions::from_str(url).expect("WINDLASS_TEST_POSTGRES holds a URL");
    let server = server.database("postgres");
    // Names are cut at 63 bytes, and the process is what makes them unique between runs.
    let mut database = format!("windlass_test_{}_{test}", process::id());
    database.truncate(63);
    let mut admin = PgConnection::connect_with(&server).await.expect("the server is there");
    let drop = format!(r#"DROP DATABASE IF EXISTS "{database}" WITH (FORCE)"#);
    admin.execute(AssertSqlSafe(drop)).await.expect("the server obeys");
    match content {
        Content::Nothing => {
            let create = format!(r#"CREATE DATABASE "{database}""#);
            admin.execute(AssertSqlSafe(create)).await.expect("a database can be made");
        }
        Content::Schema => template::copy_on_server(&mut admin, &server, &database).await,
    }
    let url = server.clone().database(&database).to_url_lossy();
    (Place::Server { server: Box::new(server), database }, DatabaseOptions::new(url.to_string()))
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self::Server { server, database } = self else { return };
        let (server, database) = (server.clone(), std::mem::take(database));
        // A runtime of its own, as the test's may be about to end and cannot be blocked.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(async move {
                let sql = format!(r#"DROP DATABASE IF EXISTS "{database}" WITH (FORCE)"#);
                if let Ok(mut admin) = PgConnection::connect_with(&server).await {
                    // What is left over is only in the way of nobody.
                    let _ = admin.execute(AssertSqlSafe(sql)).await;
                }
            });
        });
        let _ = dropping.join();
    }
}
