//! Redis: what only this provider promises.

use std::fs;

use windlass_services::{BackingServices as _, Place, Variable};

use crate::site::{REDIS, Site, a_neighbour, a_place, modes, redis, redis_at, value};

async fn provided() -> (Site, Place, Vec<Variable>) {
    let (site, place) = (Site::new().await, a_place());
    let at = site.services().provide(place, REDIS).await.unwrap();
    (site, place, at)
}

fn address(variables: &[Variable]) -> &str {
    value(variables, "REDIS_URL").rsplit_once('@').unwrap().1
}

#[tokio::test]
async fn an_app_cannot_reach_beyond_its_data() {
    let (_site, _, at) = provided().await;
    for forbidden in [
        "CONFIG GET dir",
        "CONFIG SET dir /tmp",
        "DEBUG SLEEP 0",
        "MODULE LOAD /tmp/module.so",
        "SHUTDOWN",
        "REPLICAOF 127.0.0.1 1",
        "SLAVEOF 127.0.0.1 1",
        "FAILOVER",
        "SAVE",
        "BGSAVE",
        "BGREWRITEAOF",
        "ACL SETUSER default +@all",
        "ACL LIST",
        "ACL SAVE",
        "ACL LOAD",
        "MONITOR",
        "MIGRATE 127.0.0.1 1 key 0 1",
        "SYNC",
        "PSYNC ? -1",
        "REPLCONF listening-port 1",
        "CLUSTER INFO",
        "CLIENT PAUSE 1",
        "PFDEBUG ENCODING key",
    ] {
        let words: Vec<&str> = forbidden.split(' ').collect();
        let refused = redis(&at, &words);
        assert!(refused.is_err(), "{forbidden}: {refused:?}");
        let script = ["EVAL", "return redis.call(unpack(ARGV))", "0"];
        let refused = redis(&at, &[&script[..], &words].concat());
        assert!(refused.is_err(), "{forbidden} in a script: {refused:?}");
    }
    for allowed in [
        "INFO server",
        "CLIENT SETNAME app",
        "CLIENT LIST",
        "SELECT 3",
        "EVAL return(1) 0",
        "PUBLISH channel text",
        "FLUSHALL",
        "ACL WHOAMI",
    ] {
        let words: Vec<&str> = allowed.split(' ').collect();
        let done = redis(&at, &words);
        assert!(done.is_ok(), "{allowed}: {done:?}");
    }
}

#[tokio::test]
async fn without_a_password_nothing_is_said() {
    let (_site, _, at) = provided().await;
    for command in [&["GET", "name"][..], &["INFO"], &["PING"]] {
        let refused = redis_at(address(&at), None, command).unwrap_err();
        assert!(refused.contains("NOAUTH"), "{refused}");
    }
}

#[tokio::test]
async fn memory_has_a_limit() {
    let (_site, _, at) = provided().await;
    // Redis looks before a command or a script, not in the middle of one.
    let fill = "for i = 1, 1000 do redis.call('SET', i, string.rep('x', 100000)) end return 1";
    redis(&at, &["EVAL", fill, "0"]).unwrap();
    let refused = redis(&at, &["SET", "name", "value"]).unwrap_err();
    assert!(refused.contains("OOM"), "{refused}");
    redis(&at, &["FLUSHALL"]).unwrap();
    redis(&at, &["SET", "name", "value"]).unwrap();
}

#[tokio::test]
async fn a_server_outlives_windlass_and_crashes() {
    let (mut site, place, at) = provided().await;
    redis(&at, &["SET", "name", "value"]).unwrap();
    let before = site.processes();
    site.restart().await;
    let again = site.services().provide(place, REDIS).await.unwrap();
    assert_eq!(value(&again, "REDIS_URL"), value(&at, "REDIS_URL"));
    assert_eq!(site.processes(), before, "nothing is started anew");
    // What was said to be written a second ago is.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    site.kill_all();
    let again = site.services().provide(place, REDIS).await.unwrap();
    assert_eq!(value(&again, "REDIS_URL"), value(&at, "REDIS_URL"));
    assert_eq!(redis(&at, &["GET", "name"]).as_deref(), Ok("value"));
}

#[tokio::test]
async fn one_that_hangs_in_a_script_is_ended() {
    let (site, place, at) = provided().await;
    let address = address(&at).to_owned();
    let password = value(&at, "REDIS_URL").strip_prefix("redis://default:").unwrap();
    let password = password.split('@').next().unwrap().to_owned();
    let hang = "redis.call('SET', 'name', '1') while true do end";
    let app = std::thread::spawn(move || redis_at(&address, Some(&password), &["EVAL", hang, "0"]));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    site.services().remove(place).await.unwrap();
    assert_eq!(site.processes(), []);
    assert!(app.join().unwrap().is_err());
}

#[tokio::test]
async fn neighbours_have_servers_of_their_own() {
    let (site, place, at) = provided().await;
    let next = site.services().provide(a_neighbour(place), REDIS).await.unwrap();
    assert_ne!(address(&at), address(&next));
    assert_eq!(site.processes().len(), 2);
    site.services().rest(place).await.unwrap();
    assert_eq!(site.processes().len(), 1);
}

#[tokio::test]
async fn no_password_is_kept_in_a_file_or_shown_to_others() {
    let (site, place, at) = provided().await;
    let password = value(&at, "REDIS_URL").strip_prefix("redis://default:").unwrap();
    let password = password.split('@').next().unwrap();
    for (path, mode) in modes(&site.data()) {
        // What a server makes itself is in a folder that only it can enter.
        let own = path.parent().is_some_and(|folder| folder.iter().any(|name| name == "redis"));
        assert!(own || mode % 0o10 == 0, "{}", path.display());
        let text = fs::read(&path).unwrap_or_default();
        let found = text.windows(password.len()).any(|part| part == password.as_bytes());
        assert!(!found, "{}", path.display());
    }
    let lines = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = lines.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    assert!(lines.all(|line| !line.contains(password)));
    site.services().remove(place).await.unwrap();
}
