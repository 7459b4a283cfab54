//! PostgreSQL: what only this provider promises.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use rustix::process::{Signal, kill_process};
use windlass_services::{BackingServices as _, Place, ServiceError, Variable};
use windlass_services_local::{LocalServices, SecretKey, ServiceUser, ServicesConfig};

use crate::site::{POSTGRES, Site, a_neighbour, a_place, environment, modes, psql, run, value};

async fn provided() -> (Site, Place, Vec<Variable>) {
    let (site, place) = (Site::new().await, a_place());
    let at = site.services().provide(place, POSTGRES).await.unwrap();
    (site, place, at)
}

#[tokio::test]
async fn the_url_says_the_same_as_the_other_variables() {
    let (_site, _, at) = provided().await;
    let url = value(&at, "DATABASE_URL");
    let told =
        run(Command::new("psql").args(["-X", "-w", "-At", url, "-c", "SELECT current_user"]));
    assert_eq!(told.as_deref(), Ok(value(&at, "PGUSER")));
    let wanted = format!("@127.0.0.1:{}/{}", value(&at, "PGPORT"), value(&at, "PGDATABASE"));
    assert!(url.ends_with(&wanted));
}

#[tokio::test]
async fn an_app_is_no_administrator() {
    let (_site, _, at) = provided().await;
    for forbidden in [
        "CREATE ROLE other",
        "CREATE DATABASE other",
        "ALTER ROLE current_user SUPERUSER",
        "ALTER ROLE current_user CONNECTION LIMIT 100",
        "SET ROLE windlass",
        "ALTER SYSTEM SET port = 1",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO '/tmp/file'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_reload_conf()",
        "CREATE EXTENSION adminpack",
        "CREATE EXTENSION dblink",
    ] {
        let refused = psql(&at, forbidden).unwrap_err();
        assert!(refused.contains("ERROR"), "{forbidden}: {refused}");
    }
    for allowed in [
        "CREATE SCHEMA mine",
        "CREATE EXTENSION pgcrypto",
        "CREATE TABLE public.t (id int)",
        "SELECT 1",
    ] {
        assert!(psql(&at, allowed).is_ok(), "{allowed}");
    }
}

#[tokio::test]
async fn only_its_own_database_lets_an_app_in() {
    let (site, place, at) = provided().await;
    let next = site.services().provide(a_neighbour(place), POSTGRES).await.unwrap();
    // Opening one's own database to everybody opens nothing.
    let own = value(&next, "PGDATABASE");
    psql(&next, &format!("GRANT ALL ON DATABASE {own} TO PUBLIC")).unwrap();
    for database in ["postgres", "template1", "template0", "windlass", own] {
        let mut command = Command::new("psql");
        command.args(["-X", "-w", "-c", "SELECT 1"]).envs(environment(&at));
        assert!(run(command.env("PGDATABASE", database)).is_err(), "{database}");
    }
}

#[tokio::test]
async fn nobody_administers_over_tcp() {
    let (_site, _, at) = provided().await;
    for database in ["postgres", "windlass", value(&at, "PGDATABASE")] {
        let mut command = Command::new("psql");
        command.args(["-X", "-w", "-c", "SELECT 1"]).envs(environment(&at));
        command.env("PGUSER", "windlass").env("PGDATABASE", database);
        let refused = run(&mut command).unwrap_err();
        assert!(refused.contains("no pg_hba.conf entry") || refused.contains("password"));
    }
}

#[tokio::test]
async fn what_an_app_changed_of_its_account_is_taken_back() {
    let (site, place, at) = provided().await;
    let (role, database) = (value(&at, "PGUSER"), value(&at, "PGDATABASE"));
    psql(&at, &format!("ALTER DATABASE {database} CONNECTION LIMIT 0")).unwrap();
    site.services().provide(place, POSTGRES).await.unwrap();
    psql(&at, &format!("ALTER ROLE {role} PASSWORD 'own'")).unwrap();
    assert!(psql(&at, "SELECT 1").is_err());
    site.services().provide(place, POSTGRES).await.unwrap();
    psql(&at, "SELECT 1").unwrap();
}

#[tokio::test]
async fn a_neighbours_gift_does_not_keep_an_environment_from_being_removed() {
    let (site, place, at) = provided().await;
    let neighbour = a_neighbour(place);
    let next = site.services().provide(neighbour, POSTGRES).await.unwrap();
    let gift = format!("CREATE TABLE t (id int); GRANT ALL ON t TO {}", value(&at, "PGUSER"));
    psql(&next, &gift).unwrap();
    psql(&at, "CREATE TABLE own (id int)").unwrap();
    site.services().reset(place).await.unwrap();
    assert!(psql(&at, "SELECT FROM own").is_err());
    psql(&at, "SELECT 1").unwrap();
    site.services().remove(place).await.unwrap();
    assert!(psql(&at, "SELECT 1").is_err());
    assert_eq!(site.services().places().await.unwrap(), [neighbour]);
}

#[tokio::test]
async fn a_server_outlives_windlass_and_is_found_again() {
    let (mut site, place, at) = provided().await;
    psql(&at, "CREATE TABLE t AS SELECT 1 AS id").unwrap();
    let before = site.processes();
    site.restart().await;
    psql(&at, "SELECT id FROM t").unwrap();
    site.services().provide(place, POSTGRES).await.unwrap();
    let after = site.processes();
    assert!(after.iter().any(|process| before.first() == Some(process)), "nothing is started anew");
    assert_eq!(site.services().places().await.unwrap(), [place]);
    site.restart().await;
    site.services().rest(place).await.unwrap();
    assert_eq!(site.processes(), []);
}

#[tokio::test]
async fn a_server_that_crashed_is_started_again_where_it_was() {
    let (site, place, at) = provided().await;
    psql(&at, "CREATE TABLE t AS SELECT 1 AS id").unwrap();
    site.kill_all();
    let again = site.services().provide(place, POSTGRES).await.unwrap();
    assert_eq!(value(&again, "DATABASE_URL"), value(&at, "DATABASE_URL"));
    assert_eq!(psql(&at, "SELECT id FROM t").as_deref(), Ok("1"));
    // The main process alone: the others notice, and must have ended before there is a new one.
    let main = fs::read_to_string(
        site.data().join(place.project.to_string()).join("postgres/postmaster.pid"),
    );
    let main = main.unwrap().lines().next().unwrap().parse().unwrap();
    kill_process(rustix::process::Pid::from_raw(main).unwrap(), Signal::KILL).unwrap();
    site.services().provide(place, POSTGRES).await.unwrap();
    assert_eq!(psql(&at, "SELECT id FROM t").as_deref(), Ok("1"));
}

#[tokio::test]
async fn an_old_process_id_misleads_nobody() {
    let (site, place, at) = provided().await;
    site.kill_all();
    let folder = site.data().join(place.project.to_string());
    // As after the machine was started anew: another server of the same user has that number.
    let other = site.services().provide(a_place(), POSTGRES).await.unwrap();
    let (pid, _) = site.processes().into_iter().next().unwrap();
    let own = folder.join("postgres/postmaster.pid");
    let text = fs::read_to_string(&own).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&own, format!("{}\n{rest}", pid.as_raw_nonzero())).unwrap();
    site.services().rest(place).await.unwrap();
    psql(&other, "SELECT 1").unwrap();
    site.services().provide(place, POSTGRES).await.unwrap();
    psql(&at, "SELECT 1").unwrap();
    psql(&other, "SELECT 1").unwrap();
}

#[tokio::test]
async fn a_port_that_somebody_has_taken_is_replaced() {
    let (site, place, at) = provided().await;
    site.services().rest(place).await.unwrap();
    let address = format!("127.0.0.1:{}", value(&at, "PGPORT"));
    let squatter = std::net::TcpListener::bind(&address).unwrap();
    let moved = site.services().provide(place, POSTGRES).await.unwrap();
    assert_ne!(value(&moved, "PGPORT"), value(&at, "PGPORT"));
    psql(&moved, "SELECT 1").unwrap();
    drop(squatter);
    let again = site.services().provide(place, POSTGRES).await.unwrap();
    assert_eq!(value(&again, "PGPORT"), value(&moved, "PGPORT"));
}

#[tokio::test]
async fn a_dump_is_made_also_when_the_app_has_all_connections() {
    let (site, place, at) = provided().await;
    psql(&at, "CREATE TABLE t AS SELECT 1 AS id").unwrap();
    let mut clients: Vec<_> = (0..20)
        .map(|_| {
            let mut command = Command::new("psql");
            command.args(["-X", "-w", "-q", "-c", "SELECT pg_sleep(60)"]).envs(environment(&at));
            command.stderr(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while psql(&at, "SELECT 1").is_ok() {
        assert!(std::time::Instant::now() < deadline, "there is a limit");
    }
    let mut dump = Vec::new();
    site.services().dump(place, &mut dump).await.unwrap();
    site.services().restore(place, &mut dump.as_slice()).await.unwrap();
    assert_eq!(psql(&at, "SELECT id FROM t").as_deref(), Ok("1"));
    for client in &mut clients {
        let _ = client.kill();
        client.wait().unwrap();
    }
}

#[tokio::test]
async fn a_dump_can_do_no_more_than_the_app() {
    let (site, place, at) = provided().await;
    // A dump is made of statements: these are an app's own.
    psql(
        &at,
        "CREATE TABLE t AS SELECT 1 AS id;
         CREATE FUNCTION who() RETURNS text LANGUAGE sql AS 'SELECT session_user::text';
         ALTER TABLE t ADD COLUMN made_by text DEFAULT who();
         ALTER TABLE t ADD CHECK (made_by <> 'windlass');
         ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
         CREATE EXTENSION citext; COMMENT ON TABLE t IS 'mine';
         CREATE VIEW v AS SELECT id FROM t; CREATE MATERIALIZED VIEW m AS SELECT who() AS who;",
    )
    .unwrap();
    let mut dump = Vec::new();
    site.services().dump(place, &mut dump).await.unwrap();
    let neighbour = a_neighbour(place);
    let next = site.services().provide(neighbour, POSTGRES).await.unwrap();
    site.services().restore(neighbour, &mut dump.as_slice()).await.unwrap();
    let who = psql(&next, "SELECT who FROM m").unwrap();
    assert_eq!(who, format!("{}_keeper", neighbour.environment));
    let owner = psql(&next, "SELECT tableowner FROM pg_tables WHERE tablename = 't'").unwrap();
    assert_eq!(owner, neighbour.environment.to_string());
}

#[tokio::test]
async fn everything_is_closed_to_others() {
    let (site, place, at) = provided().await;
    let own = site.data().join(place.project.to_string()).join("postgres");
    for (path, mode) in modes(&site.data()) {
        assert_eq!(mode & 0o007, 0, "{}", path.display());
        // The group that may pass through folders cannot list or change them.
        assert!(mode & 0o066 == 0 || path.starts_with(&own), "{}", path.display());
    }
    let lines = fs::read_dir("/proc").unwrap().flatten();
    let lines = lines.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    let secret = value(&at, "PGPASSWORD");
    assert!(lines.into_iter().all(|line| !line.contains(secret)));
}

#[tokio::test]
async fn no_secret_is_kept_in_a_file() {
    let (site, place, at) = provided().await;
    psql(&at, "SELECT nothing FROM nowhere").unwrap_err();
    site.services().reset(place).await.unwrap();
    let secret = value(&at, "PGPASSWORD");
    for (path, _) in modes(&site.data()) {
        let text = fs::read(&path).unwrap_or_default();
        let found = text.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[tokio::test]
async fn a_folder_has_one_master() {
    let site = Site::new().await;
    let second = LocalServices::open(site.config()).await;
    assert!(matches!(second, Err(ServiceError::Unavailable { .. })));
}

#[tokio::test]
async fn what_is_missing_is_said_with_advice() {
    let site = Site::new().await;
    let folder = site.data().join("a".repeat(60));
    let config = ServicesConfig::new(folder, SecretKey::new([7; 32]));
    let error = LocalServices::open(config).await.unwrap_err();
    assert!(error.to_string().contains("choose another"), "{error}");
}

#[tokio::test]
async fn servers_are_not_run_as_root() {
    let site = Site::new().await;
    let mut config = site.config();
    config.data_dir = site.data().join("others");
    config.user = Some(ServiceUser { uid: 0, gid: 0 });
    let services = LocalServices::open(config).await.unwrap();
    let refused = services.provide(a_place(), POSTGRES).await;
    if rustix::process::geteuid().is_root() {
        assert!(matches!(refused, Err(ServiceError::Missing { .. })), "{refused:?}");
        assert_eq!(services.places().await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_folder_that_servers_cannot_get_to_is_named() {
    let site = Site::new().await;
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let closed = site.data().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let mut config = site.config();
    config.data_dir = closed.join("services");
    let error = LocalServices::open(config).await.unwrap_err().to_string();
    assert!(error.contains("closed: chmod o+x"), "{error}");
}
