//! Connection pools for both databases.

use std::{str::FromStr, time::Duration};

use sea_orm::{
    DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector,
    sqlx::{
        Connection, PgConnection, Postgres,
        pool::PoolOptions,
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use secrecy::ExposeSecret;
use windlass_storage::StoreError;

use crate::{DatabaseOptions, error::sqlx_error};

/// Two pools, so that neither writers nor readers can use up the others' connections.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    pub(crate) writers: DatabaseConnection,
    /// Their sessions refuse to write.
    pub(crate) readers: DatabaseConnection,
    /// How to connect once more, for signals and migrations; absent on SQLite.
    pub(crate) postgres: Option<PgConnectOptions>,
}

/// How long a writer waits for its turn on SQLite: each turn is short, the queue may not be.
const SQLITE_TURN: Duration = Duration::from_secs(30);

/// An idle connection is tested before use only after this time: a test costs a round trip, and
/// what breaks in between is reported as unreachable.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

impl Pools {
    pub(crate) async fn connect(options: &DatabaseOptions) -> Result<Self, StoreError> {
        let url = options.url.expose_secret();
        if url.starts_with("sqlite:") {
            let file = SqliteConnectOptions::from_str(url).map_err(sqlx_error)?;
            connect_sqlite(file, options).await
        } else {
            let server = PgConnectOptions::from_str(url).map_err(sqlx_error)?;
            connect_postgres(server, options).await
        }
    }
}

async fn connect_sqlite(
    file: SqliteConnectOptions,
    options: &DatabaseOptions,
) -> Result<Pools, StoreError> {
    let file = file
        .create_if_missing(true)
        .foreign_keys(true)
        // Only other programs that open the file can make us wait here: our own writers share one
        // connection.
        .busy_timeout(Duration::from_secs(10))
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL would keep everything over a killed process, but lose the last commits with the
        // power. FULL costs one `fsync` a commit, about a millisecond on the disks of today: less
        // than any use case here takes, and then "kept" has no exceptions.
        .synchronous(SqliteSynchronous::Full);

    // The pool hands its one connection out in order of arrival, and only once the last
    // transaction has been committed or rolled back.
    let writers = PoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .test_before_acquire(false)
        .acquire_timeout(SQLITE_TURN.max(options.acquire_timeout))
        .connect_with(file.clone())
        .await
        .map_err(sqlx_error)?;
    let readers = PoolOptions::new()
        .max_connections(options.max_connections.saturating_sub(1).max(1))
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(options.acquire_timeout)
        .connect_with(file.pragma("query_only", "ON"))
        .await
        .map_err(sqlx_error)?;
    Ok(Pools {
        writers: SqlxSqliteConnector::from_sqlx_sqlite_pool(writers),
        readers: SqlxSqliteConnector::from_sqlx_sqlite_pool(readers),
        postgres: None,
    })
}

async fn connect_postgres(
    server: PgConnectOptions,
    options: &DatabaseOptions,
) -> Result<Pools, StoreError> {
    let server = server.application_name("windlass");
    // No statement of ours is slow, and no lock is held for long: whoever waits longer than this
    // is told so and can try again. The last one frees the locks of a server that hangs.
    let limited = server.clone().options([
        ("statement_timeout", "30s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "60s"),
    ]);
    let for_readers = options.max_connections / 2;
    let for_writers = options.max_connections - for_readers;

    let writers = postgres_pool(options, for_writers)
        .connect_with(limited.clone())
        .await
        .map_err(sqlx_error)?;
    let readers = postgres_pool(options, for_readers)
        .connect_with(limited.options([("default_transaction_read_only", "on")]))
        .await
        .map_err(sqlx_error)?;
    Ok(Pools {
        writers: SqlxPostgresConnector::from_sqlx_postgres_pool(writers),
        readers: SqlxPostgresConnector::from_sqlx_postgres_pool(readers),
        postgres: Some(server),
    })
}

fn postgres_pool(options: &DatabaseOptions, size: u32) -> PoolOptions<Postgres> {
    PoolOptions::new()
        .max_connections(size.max(1))
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection: &mut PgConnection, idle| {
            Box::pin(async move {
                if TRUSTED_IDLE <= idle.idle_for {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}
