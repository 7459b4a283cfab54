//! One run of nextest.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::{Variable, cargo, report::Counts};
use crate::{process, terminal::say, workspace};

/// Tests to run.
pub(super) struct Suite {
    /// For people.
    pub(super) name: &'static str,
    /// A profile of `.config/nextest.toml`; each writes a report of its own.
    pub(super) profile: &'static str,
    /// Which tests, if not all.
    pub(super) filter: Option<String>,
    /// Given to the tests.
    pub(super) variables: Vec<Variable>,
    /// Further arguments.
    pub(super) arguments: Vec<OsString>,
}

/// What came of them.
pub(super) struct Finished {
    pub(super) name: &'static str,
    pub(super) took: Duration,
    pub(super) counts: Counts,
    /// Whether all of them passed.
    pub(super) passed: bool,
}

impl Suite {
    /// Runs them, with what they print passed through. Only what keeps them from being run is an
    /// error.
    pub(super) async fn run(&self) -> anyhow::Result<Finished> {
        self.finish(self.command()?).await
    }

    /// Runs them, and shows what they print when they have ended.
    pub(super) async fn run_aside(&self) -> anyhow::Result<(Finished, String)> {
        let path = self.folder()?.join("output.txt");
        fs::create_dir_all(self.folder()?).context("making a folder for what tests print")?;
        let output = File::create(&path).context("making a file for what tests print")?;
        let mut command = self.command()?;
        command.stdout(output.try_clone()?).stderr(output);
        let finished = self.finish(command).await?;
        let printed = fs::read(&path).context("reading what tests printed")?;
        Ok((finished, String::from_utf8_lossy(&printed).into_owned()))
    }

    fn command(&self) -> anyhow::Result<Command> {
        let report = self.report()?;
        if report.exists() {
            fs::remove_file(&report).context("removing an old report")?;
        }
        let mut command = cargo(&self.variables);
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        command.args(["--profile", self.profile]);
        if let Some(filter) = &self.filter {
            command.args(["--filterset", filter]);
        }
        command.args(&self.arguments);
        Ok(command)
    }

    async fn finish(&self, command: Command) -> anyhow::Result<Finished> {
        let start = Instant::now();
        let outcome = process::run(command).await;
        let took = start.elapsed();
        let report = fs::read_to_string(self.report()?);
        let counts = report.ok().and_then(|report| Counts::of_junit(&report));
        let passed = outcome.is_ok();
        let Some(counts) = counts else {
            outcome?;
            anyhow::bail!("{}: nextest left no report", self.name);
        };
        Ok(Finished { name: self.name, took, counts, passed })
    }

    fn report(&self) -> anyhow::Result<PathBuf> {
        Ok(self.folder()?.join("junit.xml"))
    }

    fn folder(&self) -> anyhow::Result<PathBuf> {
        Ok(workspace::target()?.join("nextest").join(self.profile))
    }
}

/// Runs both at once: while end-to-end tests of the one wait, those of the other go on.
pub(super) async fn side_by_side(shown: &Suite, aside: &Suite) -> anyhow::Result<[Finished; 2]> {
    say(format_args!("What the {} print is shown when they have ended.", aside.name));
    let (shown, aside) = tokio::join!(shown.run(), aside.run_aside());
    let (aside, printed) = aside?;
    say(format_args!("\n── {}\n{}", aside.name, printed.trim_end()));
    Ok([shown?, aside])
}
