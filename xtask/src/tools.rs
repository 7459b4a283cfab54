//! Programs that tasks need: found on the machine, or installed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::{process, workspace};

/// A program, and the Debian package that has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    program: &'static str,
    package: &'static str,
}

pub(crate) const GIT: Tool = Tool { program: "git", package: "git" };
pub(crate) const CURL: Tool = Tool { program: "curl", package: "curl" };
pub(crate) const NODE: Tool = Tool { program: "node", package: "nodejs" };
pub(crate) const NPM: Tool = Tool { program: "npm", package: "npm" };
pub(crate) const PYTHON: Tool = Tool { program: "python3", package: "python3" };
pub(crate) const POSTGRES: Tool = Tool { program: "initdb", package: "postgresql" };
pub(crate) const REDIS: Tool = Tool { program: "redis-server", package: "redis-server" };
pub(crate) const BUBBLEWRAP: Tool = Tool { program: "bwrap", package: "bubblewrap" };
pub(crate) const DOCKER: Tool = Tool { program: "dockerd", package: "docker.io" };
pub(crate) const DOCKER_CLIENT: Tool = Tool { program: "docker", package: "docker.io" };
pub(crate) const IP: Tool = Tool { program: "ip", package: "iproute2" };
pub(crate) const REGISTRY: Tool = Tool { program: "docker-registry", package: "docker-registry" };
pub(crate) const BUSYBOX: Tool = Tool { program: "busybox", package: "busybox-static" };
pub(crate) const CHROMIUM: Tool = Tool { program: "chromium", package: "chromium" };
pub(crate) const CHROMEDRIVER: Tool = Tool { program: "chromedriver", package: "chromium-driver" };
pub(crate) const PEBBLE: Tool = Tool { program: "pebble", package: "pebble" };
pub(crate) const NGINX: Tool = Tool { program: "nginx", package: "nginx" };
pub(crate) const WRK: Tool = Tool { program: "wrk", package: "wrk" };

/// The one that reads our OpenAPI document and attacks the server with it.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// Another implementation of Biscuit, which reads and narrows our tokens.
const BISCUIT: &str = "biscuit-python==0.4.0";

/// What is compared with: the newest of 1.7, as each of its packages has it.
const BETTER_AUTH: &str = r#"{
  "private": true,
  "type": "module",
  "dependencies": {
    "@better-auth/api-key": "1.7.5",
    "@hono/node-server": "1.19.19",
    "better-auth": "1.7.25",
    "better-sqlite3": "12.11.1",
    "hono": "4.13.19"
  }
}
"#;

/// What GitHub sends to webhooks, as Octokit keeps it.
const WEBHOOK_EXAMPLES: &str = r#"{
  "private": true,
  "dependencies": {
    "@octokit/webhooks-examples": "7.6.1"
  }
}
"#;

/// All that is installed, as it is noted.
fn python_packages() -> String {
    [SCHEMATHESIS, BISCUIT].join("\n")
}

/// The program's path, if it is on this machine.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    // Debian keeps a server's programs by version, away from `PATH`.
    folders.extend(postgres_folders());
    folders.into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn postgres_folders() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by(|one, other| other.cmp(one));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// The program's path; the error says how to get it.
pub(crate) fn expect(tool: Tool) -> anyhow::Result<PathBuf> {
    let Tool { program, package } = tool;
    find(program).with_context(|| {
        format!("`{program}` is missing; install it: sudo apt-get install -y {package}")
    })
}

/// Installs those that are missing, or stops with the line that does.
pub(crate) async fn install(tools: &[Tool]) -> anyhow::Result<()> {
    let missing: Vec<&str> =
        tools.iter().filter(|tool| find(tool.program).is_none()).map(|tool| tool.package).collect();
    install_packages(&missing).await
}

async fn install_packages(packages: &[&str]) -> anyhow::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    let root = rustix::process::geteuid().is_root();
    if find("apt-get").is_none() || !(root || may_become_root()) {
        bail!("{} missing; run this, then try again:\n\n    sudo {line}\n", packages.join(", "));
    }
    for arguments in ["apt-get update", &line] {
        let mut words = arguments.split(' ').chain(["-q"]);
        let mut command = if root {
            Command::new(words.next().unwrap_or_default())
        } else {
            let mut command = Command::new("sudo");
            command.args(["-n", "DEBIAN_FRONTEND=noninteractive"]);
            command
        };
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        process::run(command).await?;
    }
    Ok(())
}

fn may_become_root() -> bool {
    Command::new("sudo").args(["-n", "true"]).output().is_ok_and(|done| done.status.success())
}

/// The folder of Python programs that tests need, filled when it is not there yet.
pub(crate) async fn python_programs() -> anyhow::Result<PathBuf> {
    let venv = workspace::target()?.join("tools/venv");
    let programs = venv.join("bin");
    let stamp = venv.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == python_packages()) {
        return Ok(programs);
    }
    let ensurepip = Command::new("python3").args(["-c", "import ensurepip"]).output();
    if !ensurepip.is_ok_and(|done| done.status.success()) {
        install_packages(&["python3", "python3-venv"]).await?;
    }
    make_venv(&venv).await?;
    fs::write(&stamp, python_packages()).context("noting what was installed")?;
    Ok(programs)
}

async fn make_venv(venv: &Path) -> anyhow::Result<()> {
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(venv);
    process::run(make).await?;
    let mut install = Command::new(venv.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args([SCHEMATHESIS, BISCUIT]);
    process::run(install).await
}

/// The folder of a service that lets keys of better-auth in, filled when it is not there yet.
pub(crate) async fn better_auth() -> anyhow::Result<PathBuf> {
    // Two of its packages want different versions of a third one; it works with either.
    let folder = node_packages("better-auth", BETTER_AUTH, &["--legacy-peer-deps"]).await?;
    fs::write(folder.join("better_auth.mjs"), include_str!("bench/auth/better_auth.mjs"))?;
    Ok(folder)
}

/// The file of what GitHub sends to webhooks, installed when it is not there yet.
pub(crate) async fn webhook_examples() -> anyhow::Result<PathBuf> {
    // There is nothing to run in it.
    let options = ["--ignore-scripts"];
    let folder = node_packages("webhook-examples", WEBHOOK_EXAMPLES, &options).await?;
    Ok(folder.join("node_modules/@octokit/webhooks-examples/api.github.com/index.json"))
}

/// A folder among the tools with packages for Node, filled when it is not there yet.
async fn node_packages(name: &str, packages: &str, options: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = workspace::target()?.join("tools").join(name);
    let stamp = folder.join("installed.json");
    fs::create_dir_all(&folder).context("making a folder")?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == packages) {
        return Ok(folder);
    }
    fs::write(folder.join("package.json"), packages)?;
    let mut install = Command::new(expect(NPM)?);
    install.args(["install", "--no-audit", "--no-fund"]).args(options).current_dir(&folder);
    process::run(install).await?;
    fs::write(&stamp, packages).context("noting what was installed")?;
    Ok(folder)
}
