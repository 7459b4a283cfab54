//! Keys that a service verifies by itself, compared with better-auth's in a service of its kind.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::Signal;
use serde::Deserialize;

use super::{
    super::{Measure, median, wrk},
    CONNECTIONS, Effort, bearer,
};
use crate::{
    process::{self, Guarded},
    server::Playground,
    terminal::{detail, step},
    tools, workspace,
};

/// A service that runs.
struct Service {
    _process: Guarded,
    url: String,
    header: String,
}

/// What better-auth's service says of itself.
#[derive(Deserialize)]
struct Said {
    address: String,
    key: String,
}

pub(super) async fn run(effort: Effort) -> anyhow::Result<Vec<Measure>> {
    let playground = Playground::new()?;
    let better_auth = step("installed better-auth", tools::better_auth()).await?;
    let example = step("built the example service for release", build()).await?;
    let ours = ours(&example).await?;
    let theirs = theirs(&better_auth, playground.path())?;
    let loads = async {
        let (mut by_us, mut by_them) = (Vec::new(), Vec::new());
        for _ in 0..effort.rounds {
            by_us.push(ours.load(effort.seconds)?);
            by_them.push(theirs.load(effort.seconds)?);
        }
        Ok((median(by_us)?, median(by_them)?))
    };
    let (by_us, by_them) = step("loaded both with one key each, in turns", loads).await?;
    detail(format_args!("keys verified a second: {by_us:.0} here, {by_them:.0} there"));
    let name = "keys verified a second by better-auth's";
    Ok(vec![Measure::at_least(15.0, "×", name, by_us / by_them)])
}

impl Service {
    fn load(&self, seconds: u32) -> anyhow::Result<f64> {
        let headers = [self.header.clone()];
        Ok(wrk::load(&self.url, &headers, CONNECTIONS, seconds)?.per_second)
    }
}

async fn build() -> anyhow::Result<PathBuf> {
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--release", "--package", "windlass-example-embed"]);
    process::run(build).await?;
    Ok(workspace::target()?.join("release/windlass-example-embed"))
}

/// `examples/embed`, asked for a note.
async fn ours(program: &Path) -> anyhow::Result<Service> {
    let (process, mut lines) = start(process::dies_with_us("TERM", program))?;
    let (address, key) = (line(&mut lines)?, line(&mut lines)?);
    let url = format!("{address}/notes/proj_01h455vb4pex5vsknk084sn02q");
    let http = reqwest::Client::builder().no_proxy().build()?;
    let written = http.put(&url).bearer_auth(&key).body("hello").send().await?;
    written.error_for_status().context("writing a note")?;
    Ok(Service { _process: process, url, header: bearer(&key) })
}

fn theirs(folder: &Path, data: &Path) -> anyhow::Result<Service> {
    let mut command = process::dies_with_us("TERM", tools::expect(tools::NODE)?);
    command.arg(folder.join("better_auth.mjs")).arg(data);
    let (process, mut lines) = start(command)?;
    let said = line(&mut lines)?;
    let Said { address, key } = serde_json::from_str(&said).context("reading what it says")?;
    let url = format!("{address}/checked");
    Ok(Service { _process: process, url, header: format!("X-Api-Key: {key}") })
}

fn start(mut command: Command) -> anyhow::Result<(Guarded, impl Iterator<Item = String>)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = Guarded::spawn(&mut command, Signal::TERM, Duration::from_secs(10))?;
    let output = process.child().stdout.take().context("its output is not ours")?;
    Ok((process, lines(output)))
}

fn lines(output: impl Read) -> impl Iterator<Item = String> {
    BufReader::new(output).lines().map_while(Result::ok)
}

fn line(lines: &mut impl Iterator<Item = String>) -> anyhow::Result<String> {
    lines.next().context("it ended before it was ready")
}
