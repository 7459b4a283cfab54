//! What is written to a database meanwhile, noticed by triggers.

use std::{collections::BTreeSet, fmt::Write as _};

use sea_orm::sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection, query_as,
};

use super::dump;

/// Notices every row that is made, changed or removed, whoever does it.
#[derive(Debug)]
pub struct Watch {
    connection: Connection,
    /// The last change that was told.
    last: i64,
}

#[derive(Debug)]
enum Connection {
    Postgres(Box<PgConnection>),
    Sqlite(Box<SqliteConnection>),
}

impl Watch {
    /// Begins to watch everything but some tables (`table`) and columns (`table.column`).
    pub(super) async fn begin(url: &str, is_postgres: bool, except: &[&str]) -> Self {
        let connection = if is_postgres {
            let mut connection = PgConnection::connect(url).await.expect("the database is there");
            let sql = on_postgres(&dump::tables_on_postgres(&mut connection).await, except);
            connection.execute(AssertSqlSafe(sql)).await.expect("triggers can be made");
            Connection::Postgres(Box::new(connection))
        } else {
            let mut connection =
                SqliteConnection::connect(url).await.expect("the database is there");
            let mut sql = "CREATE TABLE watched (id INTEGER PRIMARY KEY, place TEXT);".to_owned();
            for table in dump::tables_on_sqlite(&mut connection).await {
                let columns = dump::columns_on_sqlite(&mut connection, &table).await;
                sql.push_str(&on_sqlite(&table, &columns, except));
            }
            connection.execute(AssertSqlSafe(sql)).await.expect("triggers can be made");
            Connection::Sqlite(Box::new(connection))
        };
        Self { connection, last: 0 }
    }

    /// The tables in which something has changed since this was last asked.
    ///
    /// # Panics
    ///
    /// When the database cannot be read.
    pub async fn changed(&mut self) -> BTreeSet<String> {
        const NEW: &str = "SELECT id, place FROM watched WHERE id > $1 ORDER BY id";
        let new: Result<Vec<(i64, String)>, _> = match &mut self.connection {
            Connection::Postgres(db) => query_as(NEW).bind(self.last).fetch_all(&mut **db).await,
            Connection::Sqlite(db) => query_as(NEW).bind(self.last).fetch_all(&mut **db).await,
        };
        let new = new.expect("the database is there");
        self.last = new.last().map_or(self.last, |(id, _)| *id);
        new.into_iter().map(|(_, place)| place).collect()
    }
}

fn on_postgres(tables: &[String], except: &[&str]) -> String {
    let mut sql = "
        CREATE TABLE watched (id BIGSERIAL PRIMARY KEY, place TEXT);
        CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO watched (place) VALUES (TG_TABLE_NAME); RETURN NULL; END';
    "
    .to_owned();
    for table in tables.iter().filter(|table| !except.contains(&table.as_str())) {
        let without = unwatched_columns(except, table)
            .fold(String::new(), |without, column| without + &format!(" - '{column}'"));
        let _ = write!(
            sql,
            r#"CREATE TRIGGER watch_rows AFTER INSERT OR DELETE ON "{table}"
               FOR EACH ROW EXECUTE FUNCTION note_change();
               CREATE TRIGGER watch_values AFTER UPDATE ON "{table}" FOR EACH ROW
               WHEN (to_jsonb(OLD){without} IS DISTINCT FROM to_jsonb(NEW){without})
               EXECUTE FUNCTION note_change();"#
        );
    }
    sql
}

fn on_sqlite(table: &str, columns: &[String], except: &[&str]) -> String {
    if except.contains(&table) {
        return String::new();
    }
    let ignored: Vec<&str> = unwatched_columns(except, table).collect();
    let differences: Vec<String> = columns
        .iter()
        .filter(|column| !ignored.contains(&column.as_str()))
        .map(|column| format!(r#"OLD."{column}" IS NOT NEW."{column}""#))
        .collect();
    let differences = differences.join(" OR ");
    [("INSERT", "1"), ("DELETE", "1"), ("UPDATE", &differences)]
        .map(|(event, condition)| {
            format!(
                r#"CREATE TRIGGER "watch_{event}_{table}" AFTER {event} ON "{table}" WHEN {condition}
                   BEGIN INSERT INTO watched (place) VALUES ('{table}'); END;"#
            )
        })
        .concat()
}

/// The columns of a table that are not watched.
fn unwatched_columns<'a>(except: &'a [&str], table: &'a str) -> impl Iterator<Item = &'a str> {
    let places = except.iter().filter_map(|place| place.split_once('.'));
    places.filter(move |(of, _)| *of == table).map(|(_, column)| column)
}
