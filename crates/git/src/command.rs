//! One call of the `git` program.

use std::{
    ffi::OsStr,
    io::{self, Write as _},
    path::Path,
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
};

use crate::{
    Git,
    credential::Login,
    error::{Failure, GitError},
};

/// A remote decides what is printed, so only this much is read.
const MAX_OUTPUT: usize = 64 * 1024;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const ENVIRONMENT: [(&str, &str); 8] = [
    ("PATH", PATH),
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", "/bin/false"),
    ("SSH_ASKPASS", "/bin/false"),
    ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=20"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_LFS_SKIP_SMUDGE", "1"),
];

const CONFIGURATION: [(&str, &str); 12] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("credential.helper", ""),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.ext.allow", "never"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "60"),
];

/// Sets a limit and becomes the program. Nothing is put together out of text.
const LIMITED: &str = "ulimit -f \"$1\"; shift; exec \"$@\"";

/// Calls of git in one folder.
pub(crate) struct Call<'a> {
    git: &'a Git,
    folder: &'a Path,
    /// The only way to tell the serving side of a local repository, too, that it may belong to
    /// somebody else: git hides settings from the environment from it.
    trust: Option<NamedTempFile>,
    /// How large a file may be that git writes, in units of 512 bytes.
    most_blocks: Option<&'static str>,
    login: Option<Login<'a>>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        git: &'a Git,
        folder: &'a Path,
        local: bool,
        login: Option<Login<'a>>,
    ) -> Result<Self, GitError> {
        let trust = if local { Some(write_trust().map_err(GitError::Io)?) } else { None };
        Ok(Self { git, folder, trust, most_blocks: None, login })
    }

    /// The same where no file may be larger than so many units of 512 bytes: a remote decides how
    /// much it sends.
    pub(crate) fn limited(self, most_blocks: &'static str) -> Self {
        Self { most_blocks: Some(most_blocks), ..self }
    }

    /// What it printed, once it has succeeded.
    pub(crate) async fn run<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String, Failure> {
        let output = self.bytes(arguments, MAX_OUTPUT).await?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    /// The same byte for byte, and `most` of them at most.
    pub(crate) async fn bytes<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        most: usize,
    ) -> Result<Vec<u8>, Failure> {
        let mut command = self.command();
        let mut child = command.args(arguments).spawn().map_err(Failure::Spawn)?;
        let group = Group(child.id());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let ended =
            async { tokio::join!(read(stdout, most), read(stderr, MAX_OUTPUT), child.wait()) };
        let ended = tokio::time::timeout(self.git.timeout, ended).await;
        let (stdout, stderr, status) = ended.map_err(|_| Failure::Timeout)?;
        drop(group);

        if status.map_err(Failure::Spawn)?.success() {
            Ok(stdout)
        } else {
            let said = String::from_utf8_lossy(&stderr);
            Err(Failure::Exit(match &self.login {
                Some(login) => login.removed_from(&said),
                None => said.into_owned(),
            }))
        }
    }

    fn command(&self) -> Command {
        let mut command = match self.most_blocks {
            Some(most) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", LIMITED, "sh", most]).arg(&self.git.program);
                shell
            }
            None => Command::new(&self.git.program),
        };
        command
            .current_dir(self.folder)
            .env_clear()
            .envs(ENVIRONMENT)
            .envs(self.git.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let helper = self.login.as_ref().map(Login::setting);
        let settings = CONFIGURATION.iter().map(|(name, value)| ((*name).to_owned(), *value));
        let settings: Vec<_> = settings.chain(helper).collect();
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (name, value)) in settings.into_iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        if let Some(login) = &self.login {
            command.envs(login.environment());
        }
        match &self.trust {
            Some(file) => {
                command.env("GIT_ALLOW_PROTOCOL", "file").env("GIT_CONFIG_GLOBAL", file.path())
            }
            None => command
                .env("GIT_ALLOW_PROTOCOL", "https:http:ssh:git")
                .env("GIT_CONFIG_GLOBAL", "/dev/null"),
        };
        command
    }
}

fn write_trust() -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::with_prefix("windlass-git-")?;
    file.write_all(b"[safe]\n\tdirectory = *\n")?;
    Ok(file)
}

/// Reads the beginning and swallows the rest: a program that is not heard out would not end.
async fn read(pipe: Option<impl AsyncRead + Unpin>, most: usize) -> Vec<u8> {
    let mut head = Vec::new();
    if let Some(pipe) = pipe {
        let mut limited = pipe.take(u64::try_from(most).unwrap_or(u64::MAX));
        // A broken pipe ends the text; the exit status says whether that matters.
        let _ = limited.read_to_end(&mut head).await;
        let _ = tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await;
    }
    head
}

/// Ends git's helpers with git, also when the call is abandoned.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let leader = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(leader) = leader {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
