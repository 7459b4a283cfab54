//! Migrated databases to be copied: the schema's history is run once for each test program, not
//! once for each test.

use std::{
    env, fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    path::{Path, PathBuf},
};

use sea_orm::sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, postgres::PgConnectOptions,
};

use crate::{DatabaseOptions, SeaStore};

/// From this version on, PostgreSQL copies a database through its log unless it is told otherwise.
/// Copying files is what older ones do: the copy then has the catalogue's cache, too, which every
/// first connection to a database would have to build (it takes longer than all the rest).
const HAS_STRATEGIES: u32 = 150_000;

/// A program in which a step of the schema was changed has been built anew, and makes a template of
/// its own.
struct TestProgram {
    path: PathBuf,
    built: u64,
}

impl TestProgram {
    fn this_one() -> io::Result<Self> {
        let path = env::current_exe()?;
        let file = path.metadata()?;
        let mut built = DefaultHasher::new();
        (&path, file.len(), file.modified()?).hash(&mut built);
        Ok(Self { path, built: built.finish() })
    }
}

/// Copies a migrated SQLite database to a file that is not there yet.
pub(super) async fn copy_to_file(file: &Path) {
    let program = TestProgram::this_one().expect("a program finds itself");
    let template = program.path.with_extension("template.db");
    let newest = |path: &Path| path.metadata().and_then(|file| file.modified());
    let is_new = match (newest(&template), newest(&program.path)) {
        (Ok(template), Ok(program)) => program <= template,
        _ => false,
    };
    if !is_new {
        let folder = program.path.parent().expect("a program is in a folder");
        let made = tempfile::tempdir_in(folder).expect("there is room beside the program");
        let first = made.path().join("first.db");
        migrate(&DatabaseOptions::sqlite_file(&first).expect("its path is Unicode")).await;
        // Whoever is the last to be done replaces the same by the same.
        fs::rename(&first, &template).expect("a file can be renamed");
    }
    fs::copy(&template, file).expect("a template can be copied");
}

/// Makes a migrated database on a PostgreSQL server, by copying one.
pub(super) async fn copy_on_server(
    admin: &mut PgConnection,
    server: &PgConnectOptions,
    name: &str,
) {
    let built = TestProgram::this_one().expect("a program finds itself").built;
    let template = format!("windlass_template_{built:016x}");
    // One of the tests that start together makes the template, the others wait for it.
    let lock = i64::from_ne_bytes(built.to_ne_bytes());
    execute(admin, format!("SELECT pg_advisory_lock({lock})")).await;
    let find = AssertSqlSafe(format!("SELECT 1 FROM pg_database WHERE datname = '{template}'"));
    if admin.fetch_optional(find).await.expect("the server answers").is_none() {
        let unfinished = format!("{template}_unfinished");
        execute(admin, format!(r#"DROP DATABASE IF EXISTS "{unfinished}" WITH (FORCE)"#)).await;
        execute(admin, format!(r#"CREATE DATABASE "{unfinished}""#)).await;
        let url = server.clone().database(&unfinished).to_url_lossy().to_string();
        migrate(&DatabaseOptions::new(url)).await;
        let rename = format!(r#"ALTER DATABASE "{unfinished}" RENAME TO "{template}""#);
        execute(admin, rename).await;
    }
    execute(admin, format!("SELECT pg_advisory_unlock({lock})")).await;
    let mut copy = format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}""#);
    if HAS_STRATEGIES <= admin.server_version_num().unwrap_or_default() {
        copy.push_str(" STRATEGY FILE_COPY");
    }
    execute(admin, copy).await;
}

/// Runs every step and leaves nobody connected and nothing outside of the database.
async fn migrate(options: &DatabaseOptions) {
    let store = SeaStore::connect(options).await.expect("the database is there");
    store.migrate().await.expect("the migrations can be run");
    store.close().await.expect("connections can be closed");
}

async fn execute(admin: &mut PgConnection, sql: String) {
    admin.execute(AssertSqlSafe(sql)).await.expect("the server obeys");
}
