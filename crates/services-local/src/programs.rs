//! Programs of this machine: where they are, and running one to its end within a time.

use std::{
    fs,
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
    time::timeout,
};
use windlass_services::ServiceError;

use crate::config::ServiceUser;

/// Where systems keep programs.
const USUAL: [&str; 6] =
    ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

/// As much of what a program said as an error tells.
const LAST_LINES: usize = 12;
const LAST_BYTES: u64 = 4_096;

/// The first of these programs that is in one of the folders.
pub(crate) fn find(folders: &[PathBuf], names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<&Path> =
        folders.iter().map(PathBuf::as_path).chain(USUAL.map(Path::new)).collect();
    let mut paths =
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    paths.find(|path| is_program(path))
}

/// Folders in which programs may be, the operator's first.
pub(crate) fn folders(first: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    first.iter().cloned().chain(USUAL.map(PathBuf::from))
}

pub(crate) fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// A program with nothing of our environment, as the servers' user.
pub(crate) fn command(program: &Path, user: Option<ServiceUser>) -> std::process::Command {
    let mut command = std::process::Command::new(program);
    command.env_clear().env("PATH", USUAL.join(":")).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command.current_dir("/").stdin(Stdio::null());
    if let Some(user) = user {
        // Supplementary groups are dropped along with root.
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// A program that is run to its end.
#[derive(Debug)]
pub(crate) struct Errand<'a> {
    /// What it is for, for errors: `making a PostgreSQL cluster`.
    pub(crate) purpose: &'a str,
    /// How long it may take.
    pub(crate) limit: Duration,
    /// What it reads.
    pub(crate) input: &'a [u8],
}

impl Errand<'_> {
    /// Runs it and returns what it printed. It ends when the future is dropped.
    pub(crate) async fn run(&self, command: std::process::Command) -> Result<String, ServiceError> {
        let failed = |source: io::Error| ServiceError::unavailable(self.purpose)(source);
        let mut child = start(command).map_err(failed)?;
        let stdin = child.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // One that ends early says why.
                let _ = stdin.write_all(self.input).await;
            }
        };
        let both = async { tokio::join!(child.wait_with_output(), feed).0 };
        let Ok(output) = timeout(self.limit, both).await else {
            let text = format!("it takes longer than {} s", self.limit.as_secs());
            return Err(failed(io::Error::other(text)));
        };
        let Output { status, stdout, stderr } = output.map_err(failed)?;
        if !status.success() {
            let said = last_lines(&String::from_utf8_lossy(&stderr));
            return Err(failed(io::Error::other(format!("{status}: {said}"))));
        }
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    }
}

/// Starts a program all of whose streams are ours.
pub(crate) fn start(mut command: std::process::Command) -> io::Result<Child> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Command::from(command).kill_on_drop(true).spawn()
}

/// The end of a text, for an error.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default().join("\n")
}

/// The end of a log.
pub(crate) fn last_lines_of(log: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = fs::File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(LAST_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    last_lines(&read().unwrap_or_default())
}
