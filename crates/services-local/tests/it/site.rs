//! A place for a test: services in a folder of their own, and clients.

use std::{
    fmt::Write as _,
    fs::{self, Permissions},
    io::{Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process};
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use windlass_domain::{Effects, EnvironmentId, OsEntropy, ProjectId, Services, SystemClock};
use windlass_services::{
    BackingServices, Place, Variable,
    contract::{Harness, Kind},
};
use windlass_services_local::{LocalServices, SecretKey, ServiceUser, ServicesConfig};

pub(crate) const POSTGRES: Services = Services { postgres: true, redis: false, s3: false };
pub(crate) const REDIS: Services = Services { postgres: false, redis: true, s3: false };
pub(crate) const S3: Services = Services { postgres: false, redis: false, s3: true };

/// Dropping it ends whatever it has started.
pub(crate) struct Site {
    services: Option<LocalServices>,
    folder: TempDir,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        let mut site = Self { services: None, folder };
        site.restart().await;
        site
    }

    /// As if Windlass were started anew.
    pub(crate) async fn restart(&mut self) {
        drop(self.services.take());
        self.services = Some(LocalServices::open(self.config()).await.unwrap());
    }

    pub(crate) fn config(&self) -> ServicesConfig {
        let mut config = ServicesConfig::new(self.data(), SecretKey::new([7; 32]));
        config.user = ordinary_user();
        config
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("services")
    }

    pub(crate) fn services(&self) -> &LocalServices {
        self.services.as_ref().unwrap()
    }

    /// The processes that hold a lock of ours, as their input.
    pub(crate) fn processes(&self) -> Vec<(Pid, PathBuf)> {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter_map(|pid| {
            let input = fs::read_link(format!("/proc/{pid}/fd/0")).ok()?;
            input.starts_with(self.data()).then_some((Pid::from_raw(pid)?, input))
        })
        .collect()
    }

    /// Ends all servers as a crash of the machine would.
    pub(crate) fn kill_all(&self) {
        for (pid, _) in self.processes() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.kill_all();
    }
}

#[async_trait]
impl Harness for Site {
    fn services(&self) -> &dyn BackingServices {
        Site::services(self)
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![Kind::Postgres, Kind::Redis, Kind::S3]
    }

    async fn put(
        &self,
        kind: Kind,
        variables: &[Variable],
        name: &str,
        value: &str,
    ) -> Result<(), String> {
        match kind {
            Kind::Postgres => psql(
                variables,
                &format!(
                    "{TABLE} INSERT INTO kept VALUES ('{name}', '{value}') \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value"
                ),
            )
            .map(drop),
            Kind::Redis => redis(variables, &["SET", name, value]).map(drop),
            Kind::S3 => s3_put(variables, name, value).await,
        }
    }

    async fn get(
        &self,
        kind: Kind,
        variables: &[Variable],
        name: &str,
    ) -> Result<Option<String>, String> {
        let found = match kind {
            Kind::Postgres => {
                psql(variables, &format!("{TABLE} SELECT value FROM kept WHERE name = '{name}'"))?
            }
            Kind::Redis => redis(variables, &["GET", name])?,
            Kind::S3 => return s3_get(variables, name).await,
        };
        Ok((!found.is_empty()).then_some(found))
    }
}

/// The bucket and the key of an app that was given these variables.
pub(crate) fn s3(variables: &[Variable]) -> (Bucket, Credentials) {
    let endpoint = value(variables, "S3_ENDPOINT").parse().unwrap();
    let name = value(variables, "S3_BUCKET").to_owned();
    let region = value(variables, "S3_REGION").to_owned();
    let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    let key = Credentials::new(value(variables, id), value(variables, secret));
    (Bucket::new(endpoint, UrlStyle::Path, name, region).unwrap(), key)
}

/// What is answered to a request.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> Result<String, String> {
    let response = request.send().await.map_err(|error| error.to_string())?;
    let status = response.status();
    let text = response.text().await.map_err(|error| error.to_string())?;
    if status.is_success() { Ok(text) } else { Err(format!("{status}: {text}")) }
}

pub(crate) const FRESH: Duration = Duration::from_mins(5);

async fn s3_put(variables: &[Variable], name: &str, value: &str) -> Result<(), String> {
    let (bucket, key) = s3(variables);
    let url = bucket.put_object(Some(&key), name).sign(FRESH);
    send(reqwest::Client::new().put(url).body(value.to_owned())).await.map(drop)
}

async fn s3_get(variables: &[Variable], name: &str) -> Result<Option<String>, String> {
    let (bucket, key) = s3(variables);
    let url = bucket.get_object(Some(&key), name).sign(FRESH);
    match send(reqwest::Client::new().get(url)).await {
        Err(error) if error.contains("NoSuchKey") => Ok(None),
        answer => answer.map(Some),
    }
}

const TABLE: &str = "SET client_min_messages = error; \
                     CREATE TABLE IF NOT EXISTS kept (name text PRIMARY KEY, value text);";

pub(crate) fn a_place() -> Place {
    Place { project: ProjectId::generate(fx()), environment: EnvironmentId::generate(fx()) }
}

pub(crate) fn a_neighbour(of: Place) -> Place {
    Place { environment: EnvironmentId::generate(fx()), ..of }
}

fn fx() -> Effects<'static> {
    Effects { clock: &SystemClock, entropy: &OsEntropy }
}

pub(crate) fn value<'a>(variables: &'a [Variable], key: &str) -> &'a str {
    let found = variables.iter().find(|variable| variable.key.as_str() == key);
    found.unwrap_or_else(|| panic!("there is no {key}")).value.expose_secret()
}

/// What statements print, as an app that was given these variables.
pub(crate) fn psql(variables: &[Variable], statements: &str) -> Result<String, String> {
    run(Command::new("psql")
        .args(["-X", "-q", "-w", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements])
        .env("PGCONNECT_TIMEOUT", "5")
        .envs(environment(variables)))
}

pub(crate) fn environment(variables: &[Variable]) -> impl Iterator<Item = (&str, &str)> {
    variables.iter().map(|variable| (variable.key.as_str(), variable.value.expose_secret()))
}

pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// What Redis answers to a command, as an app that was given its URL.
pub(crate) fn redis(variables: &[Variable], command: &[&str]) -> Result<String, String> {
    let url = value(variables, "REDIS_URL").strip_prefix("redis://default:").unwrap();
    let (password, address) = url.rsplit_once('@').unwrap();
    redis_at(address, Some(password).filter(|it| !it.is_empty()), command)
}

pub(crate) fn redis_at(
    address: &str,
    password: Option<&str>,
    command: &[&str],
) -> Result<String, String> {
    let address = address.to_socket_addrs().unwrap().next().unwrap();
    let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let auth = password.map(|password| vec!["AUTH", password]);
    let mut answer = String::new();
    for words in auth.into_iter().chain([command.to_vec()]) {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            let _ = write!(text, "${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
        let mut buffer = vec![0; 65_536];
        let read = stream.read(&mut buffer).map_err(|error| error.to_string())?;
        String::from_utf8_lossy(&buffer[..read]).trim().clone_into(&mut answer);
        if answer.starts_with('-') || answer.is_empty() {
            return Err(answer);
        }
    }
    Ok(match answer.split_once("\r\n") {
        Some((head, rest)) if head.starts_with('$') => rest.to_owned(),
        None if answer == "$-1" => String::new(),
        Some(_) | None => answer,
    })
}

/// Somebody for servers to run as, where we are root.
fn ordinary_user() -> Option<ServiceUser> {
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2).filter_map(|field| field.parse().ok());
        Some(ServiceUser { uid: ids.next()?, gid: ids.next()? })
    };
    find("postgres").or_else(|| find("nobody"))
}

/// Who may do what with everything below a folder.
pub(crate) fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut modes = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let metadata = fs::symlink_metadata(entry.path()).unwrap();
        modes.push((entry.path(), metadata.permissions().mode() & 0o777));
        if metadata.is_dir() {
            modes.extend(self::modes(&entry.path()));
        }
    }
    modes
}
