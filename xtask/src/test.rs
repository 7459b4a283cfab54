//! `cargo xtask test` and `cargo xtask ci`: every check, cheapest first.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use self::report::Counts;
use crate::{
    docker::Docker,
    openapi,
    postgres::Cluster,
    process,
    server::Binary,
    terminal::{say, seconds},
    tidy, tools, workspace,
};

mod report;

/// Names a PostgreSQL to the tests; without it they use SQLite.
const POSTGRES_VARIABLE: &str = "WINDLASS_TEST_POSTGRES";

/// Names a Docker to the tests that need one, a manager of a swarm.
const DOCKER_VARIABLE: &str = "WINDLASS_TEST_DOCKER";

/// Names what GitHub sends to webhooks.
const WEBHOOK_EXAMPLES_VARIABLE: &str = "WINDLASS_WEBHOOK_EXAMPLES";

/// How many tests nextest runs at once.
const THREADS_VARIABLE: &str = "NEXTEST_TEST_THREADS";

/// Packages whose tests use a database, so that they are run on both.
const ON_BOTH_DATABASES: &str = "package(windlass-storage-seaorm) | package(windlass-control) | \
                                 package(windlass-http) | package(windlass-server)";

/// Other services take `windlass-auth` with any of its features, or none.
const FEATURES_OF_AUTH: [&str; 4] = ["", "biscuit", "password", "session"];

/// Tests that start a PostgreSQL of their own.
const STARTS_POSTGRES: &str = "(((package(xtask) | package(windlass-server)) & kind(test) & \
                               test(/postgres/)) | (package(windlass-services-local) & kind(test)) | \
                               (package(windlass-server) & kind(test) & test(/^services::/)))";

/// Tests that need a Docker.
const NEEDS_DOCKER: &str = "((package(windlass-engine-swarm) | \
                            (package(windlass-server) & test(/on_docker/))) & kind(test))";

/// How many end-to-end tests run at once.
const END_TO_END: usize = 2;

/// How many tests on Docker run at once.
const ON_DOCKER: usize = 2;

#[derive(Args)]
pub(crate) struct Options {
    /// Leave something out. Nothing else is ever skipped.
    #[arg(long, value_enum)]
    without: Vec<Part>,
    /// Further arguments for `cargo nextest run`, such as a filter.
    #[arg(last = true)]
    nextest: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Everything that needs a PostgreSQL.
    Postgres,
    /// Everything that needs a Docker, which only root can start.
    Docker,
}

/// What is run, what it has found, and how long each part took.
struct Run<'a> {
    options: &'a Options,
    with_deny: bool,
    phases: Vec<(&'static str, Duration)>,
    counts: Counts,
    failed: Vec<&'static str>,
}

pub(crate) async fn run(options: &Options) -> ExitCode {
    Run::new(options, false).all().await
}

pub(crate) async fn ci() -> ExitCode {
    let options = Options { without: Vec::new(), nextest: Vec::new() };
    // It needs minutes to be built, so it is used where it is installed; `tidy` checks the layers
    // everywhere.
    let with_deny = tools::find("cargo-deny").is_some();
    if !with_deny {
        say("cargo-deny is not installed: licences and sources of dependencies are not checked");
    }
    Run::new(&options, with_deny).all().await
}

impl<'a> Run<'a> {
    fn new(options: &'a Options, with_deny: bool) -> Self {
        let (phases, failed) = (Vec::new(), Vec::new());
        Self { options, with_deny, phases, counts: Counts::default(), failed }
    }

    /// Runs everything. The last line is the count of all tests; a check that fails counts as one.
    async fn all(mut self) -> ExitCode {
        let outcome = self.checks_and_tests().await;
        say("");
        for (name, took) in &self.phases {
            say(format_args!("{:>14}  {name}", seconds(*took)));
        }
        let total = self.phases.iter().map(|(_, took)| *took).sum();
        say(format_args!("{:>14}  in all", seconds(total)));
        let Counts { passed, mut failed } = self.counts;
        // The reason goes before the count, which is what is read.
        if let Err(error) = &outcome {
            say(format_args!("\n{error:#}"));
            failed = failed.max(1);
        }
        say(format_args!("{passed} passed, {failed} failed"));
        if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    async fn checks_and_tests(&mut self) -> anyhow::Result<()> {
        let (with_postgres, with_docker) = (self.with(Part::Postgres), self.with(Part::Docker));
        let [path, examples] = self.phase("set-up", set_up(with_postgres, with_docker)).await?;

        self.cargo("formatting", &["fmt", "--all", "--check"], &[]).await?;
        self.phase("house rules", async { tidy::run() }).await?;
        if self.with_deny {
            let deny = ["deny", "check", "bans", "licenses", "sources"];
            self.cargo("licences and sources", &deny, &[]).await?;
        }
        let lints = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        self.cargo("lints", &lints, &[]).await?;
        let strict = [("RUSTDOCFLAGS", OsString::from("--deny warnings"))];
        self.cargo("documentation", &["doc", "--workspace", "--no-deps"], &strict).await?;
        for features in FEATURES_OF_AUTH {
            let check = ["check", "--package", "windlass-auth", "--features", features];
            self.cargo("windlass-auth with one feature", &check, &[]).await?;
        }
        let build = ["nextest", "run", "--workspace", "--no-run"];
        self.cargo("building the tests", &build, &[]).await?;
        let server = workspace::target()?.join("debug/windlass-server");
        let document = openapi::Options::check(Binary::at(server.clone()));
        self.phase("OpenAPI document", openapi::run(&document)).await?;
        self.cargo("examples in the documentation", &["test", "--workspace", "--doc"], &[]).await?;

        // From here on everything is run, so that one failure does not hide another.
        let variables = [
            path,
            examples,
            ("WINDLASS_SERVER_BINARY", server.into()),
            (THREADS_VARIABLE, tests_at_once(END_TO_END)?),
        ];
        if with_postgres {
            self.nextest_on_postgres(&variables).await?;
        }
        self.nextest_on_sqlite(&variables).await?;
        if !self.failed.is_empty() {
            bail!("failed: {}", self.failed.join(", "));
        }
        Ok(())
    }

    fn with(&self, part: Part) -> bool {
        !self.options.without.contains(&part)
    }

    async fn nextest_on_postgres(&mut self, variables: &[Variable]) -> anyhow::Result<()> {
        let cluster = Cluster::start().await?;
        let mut variables = variables.to_vec();
        variables.push((POSTGRES_VARIABLE, cluster.url().into()));
        let filter = format!("({ON_BOTH_DATABASES}) and not {NEEDS_DOCKER}");
        self.nextest("tests on PostgreSQL", Some(filter), &variables).await
    }

    /// With those that know no database: those on Docker wait for it most of the time.
    async fn nextest_on_sqlite(&mut self, variables: &[Variable]) -> anyhow::Result<()> {
        let mut variables = variables.to_vec();
        let mut left_out = Vec::new();
        let docker = if self.with(Part::Docker) {
            Some(self.phase("starting Docker", Docker::start()).await?)
        } else {
            None
        };
        match &docker {
            Some(docker) => variables.extend([
                (DOCKER_VARIABLE, docker.url().into()),
                (THREADS_VARIABLE, tests_at_once(END_TO_END + ON_DOCKER)?),
            ]),
            None => left_out.push(NEEDS_DOCKER),
        }
        if !self.with(Part::Postgres) {
            left_out.push(STARTS_POSTGRES);
        }
        let filter = (!left_out.is_empty()).then(|| format!("not ({})", left_out.join(" | ")));
        self.nextest("tests on SQLite", filter, &variables).await
    }

    /// Runs tests and counts them. Only what keeps them from being run is an error.
    async fn nextest(
        &mut self,
        name: &'static str,
        filter: Option<String>,
        variables: &[Variable],
    ) -> anyhow::Result<()> {
        let report = workspace::target()?.join("nextest/default/junit.xml");
        if report.exists() {
            fs::remove_file(&report).context("removing an old report")?;
        }
        let mut arguments: Vec<OsString> =
            ["nextest", "run", "--workspace", "--no-fail-fast"].map(OsString::from).into();
        if let Some(filter) = filter {
            arguments.extend(["--filterset".into(), filter.into()]);
        }
        arguments.extend(self.options.nextest.iter().cloned());
        let outcome = self.cargo(name, &arguments, variables).await;
        let report = fs::read_to_string(&report);
        let Some(counts) = report.ok().and_then(|report| Counts::of_junit(&report)) else {
            return outcome.and_then(|()| bail!("{name}: nextest left no report"));
        };
        self.counts.add(counts);
        if outcome.is_err() {
            self.failed.push(name);
        }
        Ok(())
    }

    async fn cargo<A: AsRef<OsStr> + Sync>(
        &mut self,
        name: &'static str,
        arguments: &[A],
        variables: &[Variable],
    ) -> anyhow::Result<()> {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(workspace::root());
        command.env_remove(POSTGRES_VARIABLE).env_remove(DOCKER_VARIABLE);
        command.envs(variables.iter().cloned());
        self.phase(name, process::run(command)).await
    }

    async fn phase<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        say(format_args!("\n── {name}"));
        let start = Instant::now();
        let outcome = work.await;
        self.phases.push((name, start.elapsed()));
        outcome
    }
}

/// An environment variable.
type Variable = (&'static str, OsString);

/// One for each core, and those that mostly wait (see `.config/nextest.toml`).
fn tests_at_once(waiting: usize) -> anyhow::Result<OsString> {
    let cores = thread::available_parallelism().context("counting the cores")?;
    Ok((cores.get() + waiting).to_string().into())
}

/// Installs what is missing and returns the variables by which tests find it.
async fn set_up(with_postgres: bool, with_docker: bool) -> anyhow::Result<[Variable; 2]> {
    let mut needed = vec![
        tools::GIT,
        tools::CURL,
        tools::NODE,
        tools::NPM,
        tools::PYTHON,
        tools::BUBBLEWRAP,
        tools::REDIS,
        tools::CHROMIUM,
        tools::CHROMEDRIVER,
        tools::PEBBLE,
    ];
    if with_postgres {
        needed.push(tools::POSTGRES);
    }
    if with_docker {
        needed.extend([
            tools::DOCKER,
            tools::DOCKER_CLIENT,
            tools::BUSYBOX,
            tools::REGISTRY,
            tools::IP,
        ]);
    }
    tools::install(&needed).await?;
    let programs = tools::python_programs().await?;
    let path = env::var_os("PATH").unwrap_or_default();
    // Last, so that the environment's own `python3` does not hide the machine's.
    let folders: Vec<PathBuf> = env::split_paths(&path).chain([programs]).collect();
    let path = env::join_paths(folders).context("making a PATH")?;
    let examples = tools::webhook_examples().await?;
    Ok([("PATH", path), (WEBHOOK_EXAMPLES_VARIABLE, examples.into())])
}
