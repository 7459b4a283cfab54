//! `cargo xtask demo`: from a git repository to a running, metered app.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::json;

use crate::{
    client::{Client, Deployment, Environment},
    git::Repository,
    load::{Load, Visitor},
    postgres::Cluster,
    process::Interrupt,
    server::{self, Addresses, Database, Launch, Playground, Server},
    terminal::{self, say, step},
    tools,
};

#[derive(Args)]
pub(crate) struct Options {
    /// Leave after the checks instead of staying up until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Where the server keeps its records.
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Database,
    #[command(flatten)]
    server: server::Binary,
}

/// What the example's front page says of its version.
fn greeting(version: u32) -> String {
    format!("version {version}")
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let mut interrupt = Interrupt::listen()?;
    let demo = interrupt.or(Demo::show(options)).await?;
    if !options.once {
        demo.show_addresses();
        interrupt.came().await;
        say("");
    }
    demo.end().await
}

/// What there is to look at. Dropped, all of it ends.
struct Demo {
    // Fields are dropped in this order.
    server: Server,
    _cluster: Option<Cluster>,
    playground: Playground,
    launch: Launch,
    app: App,
}

/// An app that is live.
struct App {
    repository: Repository,
    environment: Environment,
}

impl Demo {
    async fn show(options: &Options) -> anyhow::Result<Self> {
        tools::install(&[tools::GIT, tools::PYTHON]).await?;
        let binary = step("built the server", options.server.debug()).await?;

        // Declared in this order, because they are dropped in the opposite one.
        let playground = Playground::new()?;
        let cluster = match options.database {
            Database::Sqlite => None,
            Database::Postgres => Some(step("started a PostgreSQL", Cluster::start()).await?),
        };
        let launch = Launch::new(binary, playground.data(), cluster.as_ref().map(Cluster::url));
        let server = step("started the server", launch.start()).await?;
        let addresses = server.addresses();
        let client = launch.client(addresses)?;

        let app = deploy(&playground, &client, addresses).await?;
        redeploy(&app, &client, addresses).await?;
        show_usage(&client).await?;
        Ok(Self { server, _cluster: cluster, playground, launch, app })
    }

    fn show_addresses(&self) {
        let Self { app, launch, .. } = self;
        say("");
        say(format_args!("  the app      {}", app.environment.url));
        say(format_args!("  its source   {}", app.repository.path().display()));
        say(format_args!("  Swagger UI   {}/docs", self.server.addresses().api));
        say(format_args!("  the key      {}", launch.key_file().display()));
        say(format_args!("  the log      {}", launch.log().display()));
        say("");
        say("  Ctrl-C stops everything.");
    }

    async fn end(self) -> anyhow::Result<()> {
        step("stopped the server and its apps", async { self.server.stop() }).await?;
        step("nothing is left running", self.playground.ensure_quiet()).await
    }
}

async fn deploy(
    playground: &Playground,
    client: &Client,
    addresses: &Addresses,
) -> anyhow::Result<App> {
    let repository = step("made examples/hello a git repository", async {
        Repository::of_example("hello", playground.path().join("hello"))
    })
    .await?;
    let body = json!({
        "name": "hello",
        "git_url": repository.path(),
        "build_command": "python3 build.py",
    });
    let project = step("created the project over HTTP", client.create_project(&body)).await?;

    let start = Instant::now();
    let environment = client.create_environment(&project, "main").await?;
    let deployment = environment.latest_deployment.as_ref().context("nothing is deployed")?;
    say("  deploying its branch main");
    let lines = show_log(client, deployment).await?;
    ensure!(0 < lines, "the build printed nothing");
    client.live(&deployment.id).await?;
    terminal::done(format_args!("deployed it ({lines} lines of log)"), start.elapsed());

    step(&format!("it answers at {}", environment.url), async {
        let page = Visitor::new(&environment.url, &addresses.ingress, true)?.get("/").await?;
        ensure!(page.contains(&greeting(1)), "the page is not the app's: {page}");
        Ok(())
    })
    .await?;
    Ok(App { repository, environment })
}

/// Shows a build log line by line as it grows, and counts the lines.
async fn show_log(client: &Client, deployment: &Deployment) -> anyhow::Result<u64> {
    let mut lines = 0;
    let complete = client
        .follow_log(&deployment.id, None, |line| {
            lines += 1;
            terminal::detail(line.text);
        })
        .await
        .context("following the build log")?;
    ensure!(complete, "the build log broke off");
    Ok(lines)
}

async fn redeploy(app: &App, client: &Client, addresses: &Addresses) -> anyhow::Result<()> {
    let App { repository, environment } = app;
    step("committed a change", async {
        repository.write("VERSION", "2\n")?;
        repository.commit("The second version")
    })
    .await?;
    let load = Load::begin(&environment.url, &addresses.ingress)?;
    step("redeployed it while requests kept coming", async {
        let deployment = client.rebuild(&environment.id).await?;
        client.live(&deployment.id).await
    })
    .await?;
    let page = Visitor::new(&environment.url, &addresses.ingress, true)?.get("/").await?;
    let outcome = load.end().await?;
    let failed = outcome.failures.len();
    say(format_args!("  {} requests served, {failed} failed", outcome.served));
    if let Some(first) = outcome.failures.first() {
        anyhow::bail!("{failed} requests failed, the first with: {first}");
    }
    ensure!(0 < outcome.served, "no request was served");
    ensure!(page.contains(&greeting(2)), "the app still answers with an old page: {page}");
    Ok(())
}

async fn show_usage(client: &Client) -> anyhow::Result<()> {
    let usage = client.usage().await?;
    say(format_args!(
        "  /api/usage: {:.2} CPU seconds really used by {} builds; billable: {} s of {}",
        usage.cpu_seconds,
        usage.build_count,
        usage.billable_cpu_seconds,
        usage.billable_build_count
    ));
    ensure!(usage.billable_build_count == 2, "two builds should have been metered");
    ensure!(0.0 < usage.cpu_seconds, "the builds cannot have used no CPU time");
    Ok(())
}
