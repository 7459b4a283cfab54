//! `bench auth`: what looking at credentials costs, and what those can do who have none.

use std::{ffi::OsStr, fs, path::PathBuf, process::Command};

use anyhow::Context as _;
use serde_json::json;

use super::{Measure, wrk};
use crate::{
    client::Client,
    process,
    server::{Launch, Playground, Server},
    terminal::step,
    tools,
};

mod crowd;
mod flood;
mod forged;
mod known;
mod peer;
mod timing;

/// How many requests are under way at once.
const CONNECTIONS: u32 = 32;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Each side is measured so often, in turns.
    rounds: usize,
    /// For so long.
    seconds: u32,
    /// How many refusals of each kind are timed.
    refusals: usize,
    /// How many keys are many.
    keys: usize,
}

/// A server with one project.
struct Subject {
    binary: PathBuf,
    client: Client,
    server: Server,
    /// The owner's key.
    key: String,
    /// The project's address, without the server's.
    path: String,
    // Goes last: it ends what still runs in it.
    playground: Playground,
}

pub(super) async fn run(binary: PathBuf, quick: bool) -> anyhow::Result<Vec<Measure>> {
    tools::install(&[tools::WRK, tools::NODE, tools::NPM]).await?;
    let effort = if quick {
        Effort { rounds: 3, seconds: 2, refusals: 50, keys: 10_000 }
    } else {
        Effort { rounds: 7, seconds: 5, refusals: 500, keys: 100_000 }
    };
    let subject = step("started the server", Subject::start(binary)).await?;
    let mut measures = known::run(&subject, effort).await?;
    measures.extend(timing::run(&subject, effort).await?);
    measures.extend(flood::run(&subject, effort).await?);
    measures.extend(crowd::run(&subject, effort).await?);
    subject.server.stop()?;
    measures.extend(peer::run(effort).await?);
    Ok(measures)
}

impl Subject {
    async fn start(binary: PathBuf) -> anyhow::Result<Self> {
        let playground = Playground::new()?;
        let launch = Launch::new(binary.clone(), playground.data(), None);
        let server = launch.start().await?;
        let client = launch.client(server.addresses())?;
        let body = json!({ "name": "shop", "git_url": "https://git.example.com/shop.git" });
        let project = client.create_project(&body).await?;
        let key = fs::read_to_string(launch.key_file()).context("reading the owner's key")?;
        let (key, path) = (key.trim().to_owned(), format!("/api/projects/{}", project.id));
        Ok(Self { binary, client, server, key, path, playground })
    }

    /// The project's address.
    fn url(&self) -> String {
        format!("{}{}", self.server.addresses().api, self.path)
    }

    /// Loads it with one key or token.
    fn load(&self, credential: &str, seconds: u32) -> anyhow::Result<wrk::Result> {
        self.load_with(bearer(credential), seconds)
    }

    /// Loads it with one header.
    fn load_with(&self, header: String, seconds: u32) -> anyhow::Result<wrk::Result> {
        wrk::load(&self.url(), &[header], CONNECTIONS, seconds)
    }

    /// What `windlass-server admin` prints, called for this server.
    fn administer<A: AsRef<OsStr>>(&self, arguments: &[A]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.binary);
        command.arg("admin").args(arguments).arg("--data-dir").arg(self.playground.data());
        tokio::task::block_in_place(|| process::read(&mut command))
    }
}

fn bearer(credential: &str) -> String {
    format!("Authorization: Bearer {credential}")
}
