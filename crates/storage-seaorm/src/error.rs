//! From SeaORM's errors to [`StoreError`], by code and never by text.

use std::error::Error;

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
use windlass_storage::StoreError;

/// "Another transaction was in the way."
///
/// SQLite: busy, and its variants while recovering, for a stale snapshot and after a time-out.
/// PostgreSQL: serialization failure, deadlock, lock not available, statement time-out.
const BUSY: [&str; 8] = ["5", "261", "517", "773", "40001", "40P01", "55P03", "57014"];

/// "The server is there, but not for you": shutting down, crashed, starting, full, or it has
/// closed an idle connection. All of PostgreSQL's class 08 (connection exceptions) belongs here too.
const UNREACHABLE: [&str; 6] = ["57P01", "57P02", "57P03", "57P05", "25P03", "53300"];

/// A failure of any operation.
pub(crate) fn store_error(err: DbErr) -> StoreError {
    if let Some(SqlErr::UniqueConstraintViolation(_)) = err.sql_err() {
        return StoreError::Taken("value");
    }
    if let DbErr::ConnectionAcquire(_) = err {
        return StoreError::Unreachable(Box::new(err));
    }
    if let DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause)) = &err
    {
        match kind_of(cause) {
            Kind::Busy => return StoreError::Busy(Box::new(err)),
            Kind::Unreachable => return StoreError::Unreachable(Box::new(err)),
            Kind::Other => {}
        }
    }
    StoreError::Backend(Box::new(err))
}

/// The same for what was done without SeaORM in between.
pub(crate) fn sqlx_error(err: sqlx::Error) -> StoreError {
    match kind_of(&err) {
        Kind::Busy => StoreError::Busy(Box::new(err)),
        Kind::Unreachable => StoreError::Unreachable(Box::new(err)),
        Kind::Other => StoreError::Backend(Box::new(err)),
    }
}

/// A row that does not convert to its domain type.
pub(crate) fn corrupt<E>(table: &'static str) -> impl FnOnce(E) -> StoreError
where
    E: Error + Send + Sync + 'static,
{
    move |source| StoreError::Corrupt { table, source: Box::new(source) }
}

/// A row whose columns contradict each other.
#[derive(Debug, thiserror::Error)]
#[error("column `{0}` has no value or an unknown one")]
pub(crate) struct BadColumn(pub(crate) &'static str);

enum Kind {
    Busy,
    Unreachable,
    Other,
}

fn kind_of(err: &sqlx::Error) -> Kind {
    if let sqlx::Error::Io(_)
    | sqlx::Error::Tls(_)
    | sqlx::Error::PoolTimedOut
    | sqlx::Error::PoolClosed
    | sqlx::Error::WorkerCrashed = err
    {
        return Kind::Unreachable;
    }
    let Some(code) = err.as_database_error().and_then(sqlx::error::DatabaseError::code) else {
        return Kind::Other;
    };
    let code = code.as_ref();
    if BUSY.contains(&code) {
        Kind::Busy
    } else if UNREACHABLE.contains(&code) || (code.len() == 5 && code.starts_with("08")) {
        Kind::Unreachable
    } else {
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, sqlx};
    use windlass_storage::StoreError;

    use super::store_error;

    #[test]
    fn a_broken_connection_is_told_from_a_fault_of_the_statement() {
        let broken = sqlx::Error::Io(io::ErrorKind::ConnectionReset.into());
        let broken = DbErr::Query(RuntimeErr::SqlxError(broken.into()));
        assert!(matches!(store_error(broken), StoreError::Unreachable(_)));

        let timed_out = DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
        assert!(matches!(store_error(timed_out), StoreError::Unreachable(_)));

        let wrong = DbErr::Query(RuntimeErr::SqlxError(sqlx::Error::RowNotFound.into()));
        assert!(matches!(store_error(wrong), StoreError::Backend(_)));
    }
}
