//! `bench deploy`: from a push to a live app, compared with the same by hand.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use serde_json::json;

use super::{Measure, free_port, median};
use crate::{
    client::{Client, Environment},
    git::Repository,
    load::{Load, Visitor},
    process::{self, Guarded},
    server::{Addresses, Launch, Playground},
    terminal::{detail, step},
    tools,
};

/// The example's own commands.
const BUILD: &str = "python3 build.py";
const START: &str = "exec python3 app.py";

pub(super) async fn run(binary: PathBuf, quick: bool) -> anyhow::Result<Vec<Measure>> {
    tools::install(&[tools::GIT, tools::PYTHON]).await?;
    let (rounds, redeploys) = if quick { (3, 5) } else { (11, 20) };
    let playground = Playground::new()?;
    let launch = Launch::new(binary, playground.data(), None);
    let server = step("started the server", launch.start()).await?;
    let bench = Bench::prepare(&playground, &launch, server.addresses()).await?;

    let (mut ours, mut by_hand) = (Vec::new(), Vec::new());
    step("deployed by hand and by push, in turns", async {
        for round in 0..rounds {
            let version = format!("round {round}");
            bench.commit(&version)?;
            // The order alternates, so that neither side always finds the caches warm.
            if round % 2 == 0 {
                by_hand.push(bench.by_hand(&playground.path().join("by-hand")).await?);
                ours.push(bench.by_push(&version).await?);
            } else {
                ours.push(bench.by_push(&version).await?);
                by_hand.push(bench.by_hand(&playground.path().join("by-hand")).await?);
            }
        }
        Ok(())
    })
    .await?;
    detail(format_args!("by push in s: {ours:.2?}"));
    detail(format_args!("by hand in s: {by_hand:.2?}"));
    let extra = median(ours)? - median(by_hand)?;

    let load = Load::begin(&bench.environment.url, &server.addresses().ingress)?;
    step(&format!("redeployed {redeploys} times under load"), async {
        for number in 0..redeploys {
            let version = format!("redeploy {number}");
            bench.commit(&version)?;
            bench.by_push(&version).await?;
        }
        Ok(())
    })
    .await?;
    let outcome = load.end().await?;
    let failed = outcome.failures.len();
    detail(format_args!("{} requests served, {failed} failed", outcome.served));
    for failure in outcome.failures.iter().take(3) {
        detail(failure);
    }
    ensure!(0 < outcome.served, "the load served nothing");
    server.stop()?;
    #[expect(clippy::cast_precision_loss, reason = "there are not that many requests")]
    let failed = failed as f64;
    Ok(vec![
        Measure::at_most(1.0, "s", "push to live, beyond the same by hand", extra),
        Measure::at_most(0.0, "", "failed requests while redeploying", failed),
    ])
}

struct Bench {
    repository: Repository,
    client: Client,
    environment: Environment,
    visitor: Visitor,
}

impl Bench {
    async fn prepare(
        playground: &Playground,
        launch: &Launch,
        addresses: &Addresses,
    ) -> anyhow::Result<Self> {
        let repository = Repository::of_example("hello", playground.path().join("hello"))?;
        let client = launch.client(addresses)?;
        let body = json!({
            "name": "hello",
            "git_url": repository.path(),
            "build_command": BUILD,
            "start_command": START,
        });
        let project = client.create_project(&body).await?;
        let environment = client.create_environment(&project, "main").await?;
        let first = environment.latest_deployment.as_ref().context("nothing is deployed")?;
        client.live(&first.id).await?;
        let visitor = Visitor::new(&environment.url, &addresses.ingress, true)?;
        Ok(Self { repository, client, environment, visitor })
    }

    fn commit(&self, version: &str) -> anyhow::Result<()> {
        self.repository.write("VERSION", version)?;
        self.repository.commit(version).map(drop)
    }

    /// Seconds until the deployment is live and the ingress answers with the new version.
    async fn by_push(&self, version: &str) -> anyhow::Result<f64> {
        let start = Instant::now();
        let deployment = self.client.rebuild(&self.environment.id).await?;
        self.client.live(&deployment.id).await?;
        let page = self.visitor.get("/").await?;
        ensure!(page.contains(version), "it is live, but the ingress answers with an old page");
        Ok(start.elapsed().as_secs_f64())
    }

    /// Seconds until a clone that was built and started answers.
    async fn by_hand(&self, folder: &Path) -> anyhow::Result<f64> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        let port = free_port()?;
        let url = format!("http://127.0.0.1:{port}/");
        let visitor = Visitor::new(&url, &format!("http://127.0.0.1:{port}"), true)?;

        let start = Instant::now();
        let mut clone = Command::new("git");
        clone.args(["clone", "--quiet", "--branch", "main"]);
        process::read(clone.arg(self.repository.path()).arg(folder))?;
        process::read(Command::new("sh").args(["-c", BUILD]).current_dir(folder))?;
        let mut app = process::dies_with_us("KILL", "sh");
        app.args(["-c", START]).current_dir(folder).env("PORT", port.to_string());
        app.stdout(Stdio::null()).stderr(Stdio::null());
        let _app = Guarded::spawn(&mut app, Signal::TERM, Duration::from_secs(5))?;
        while visitor.get("/").await.is_err() {
            ensure!(start.elapsed() < Duration::from_mins(1), "the app by hand does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(start.elapsed().as_secs_f64())
    }
}
