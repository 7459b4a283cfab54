//! `cargo xtask crash`: a busy server is killed again and again, then everything is counted.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clap::Args;
use tokio::{sync::watch, task::JoinSet};

use self::{
    load::{Driver, Target},
    readers::Readers,
};
use crate::{
    client::{Client, Deployment},
    dice::Dice,
    postgres::Cluster,
    server::{self, Database, Launch, Playground, Server},
    terminal::{detail, say, seconds, step},
    tools,
};

mod audit;
mod load;
mod readers;

#[derive(Args)]
pub(crate) struct Options {
    /// How often the server is killed.
    #[arg(long, default_value_t = 25)]
    kills: u32,
    /// Repeats the choices of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the server keeps its records.
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Database,
    #[command(flatten)]
    server: server::Binary,
}

/// How long the server may take to come to rest after the last kill.
const REST: Duration = Duration::from_mins(4);

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let seed = options.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let dice = Dice::new(seed);
    say(format_args!("  the choices of this run: --seed {seed}"));
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
    let addresses = server.addresses().clone();
    let launch = launch.at(&addresses);
    let client = launch.client(&addresses)?;
    let readers = Readers::new(client.clone());
    let targets = step("made repositories", load::targets(&playground, &client, &readers)).await?;

    let (stop, stopped) = watch::channel(false);
    let mut drivers = JoinSet::new();
    for (number, target) in targets.iter().enumerate() {
        let (client, readers) = (client.clone(), readers.clone());
        let dice = dice.fork(number);
        let driver = Driver { client, readers, target: target.clone(), dice };
        drivers.spawn(driver.run(stopped.clone()));
    }
    let server = kill_again_and_again(options.kills, dice, &launch, server).await?;
    let _ = stop.send(true);
    let mut pushes = 0;
    while let Some(done) = drivers.join_next().await {
        pushes += done.context("a driver of the load failed")??;
    }

    step("waited until everything was quiet", rest(&client, &targets)).await?;
    let logs = step("ended the log readers", readers.end(Duration::from_mins(1))).await?;
    let audit = audit::Audit {
        client: &client,
        targets: &targets,
        playground: &playground,
        addresses: &addresses,
        server: server.id(),
    };
    let report = step("counted everything", audit.run(&logs)).await?;
    report.show(options.kills, pushes);
    step("stopped the server and its apps", async { server.stop() }).await?;
    step("nothing is left running", playground.ensure_quiet()).await?;
    ensure!(report.faults.is_empty(), "{} things are wrong; see above", report.faults.len());
    Ok(())
}

/// Kills the server at random moments, some of them while it starts.
async fn kill_again_and_again(
    kills: u32,
    mut dice: Dice,
    launch: &Launch,
    mut server: Server,
) -> anyhow::Result<Server> {
    let start = Instant::now();
    for kill in 1..=kills {
        let alive = dice.millis(300, 4_000);
        tokio::time::sleep(alive).await;
        server.kill()?;
        let mut note = String::new();
        if dice.one_in(5) {
            let starting = dice.millis(0, 400);
            let mut process = launch.spawn()?;
            tokio::time::sleep(starting).await;
            process.kill()?;
            note = format!(", and once more after {} ms of starting", starting.as_millis());
        }
        let pause = dice.millis(0, 500);
        tokio::time::sleep(pause).await;
        let again = Instant::now();
        server = launch.start().await?;
        detail(format_args!(
            "kill {kill} of {kills} after {} ms{note}; away for {} ms, then up in {} ms",
            alive.as_millis(),
            pause.as_millis(),
            again.elapsed().as_millis(),
        ));
    }
    say(format_args!("  killed it {kills} times in {}", seconds(start.elapsed())));
    Ok(server)
}

/// Waits until no deployment is on its way.
async fn rest(client: &Client, targets: &[Target]) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        let mut moving = Vec::new();
        for target in targets {
            let deployments = client.deployments(&target.environment).await?;
            moving.extend(deployments.into_iter().filter(Deployment::is_moving));
        }
        if moving.is_empty() {
            return Ok(());
        }
        ensure!(
            start.elapsed() < REST,
            "{} deployments are still on their way after {}, one of them {} is {}",
            moving.len(),
            seconds(REST),
            moving.first().map_or("", |one| one.id.as_str()),
            moving.first().map_or("", |one| one.state.as_str()),
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
