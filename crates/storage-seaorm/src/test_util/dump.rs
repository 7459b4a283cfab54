//! All that a database holds, as text.

use sea_orm::sqlx::{AssertSqlSafe, PgConnection, SqliteConnection, query_scalar};

/// Every row of every table on PostgreSQL.
pub(super) async fn postgres(mut connection: PgConnection) -> Vec<String> {
    let mut rows = Vec::new();
    for table in tables_on_postgres(&mut connection).await {
        let all = AssertSqlSafe(format!(r#"SELECT to_jsonb(t)::text FROM "{table}" t"#));
        let found: Vec<String> = query_scalar(all).fetch_all(&mut connection).await.expect("rows");
        rows.extend(found.into_iter().map(|row| format!("{table}: {row}")));
    }
    rows
}

/// Every row of every table on SQLite.
pub(super) async fn sqlite(mut connection: SqliteConnection) -> Vec<String> {
    let mut rows = Vec::new();
    for table in tables_on_sqlite(&mut connection).await {
        let columns = columns_on_sqlite(&mut connection, &table).await;
        let quoted: Vec<String> =
            columns.iter().map(|column| format!(r#"quote("{column}")"#)).collect();
        let quoted = quoted.join(" || ', ' || ");
        let all = AssertSqlSafe(format!(r#"SELECT {quoted} FROM "{table}""#));
        let found: Vec<String> = query_scalar(all).fetch_all(&mut connection).await.expect("rows");
        rows.extend(found.into_iter().map(|row| format!("{table}: {row}")));
    }
    rows
}

pub(super) async fn tables_on_postgres(connection: &mut PgConnection) -> Vec<String> {
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    query_scalar(tables).fetch_all(connection).await.expect("tables")
}

pub(super) async fn tables_on_sqlite(connection: &mut SqliteConnection) -> Vec<String> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
    query_scalar(tables).fetch_all(connection).await.expect("tables")
}

pub(super) async fn columns_on_sqlite(
    connection: &mut SqliteConnection,
    table: &str,
) -> Vec<String> {
    let columns = AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}')"));
    query_scalar(columns).fetch_all(connection).await.expect("columns")
}
