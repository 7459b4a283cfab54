//! Readers that follow build logs through every kill, as a browser does.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{task::JoinSet, time::timeout};

use super::load::lock;
use crate::client::{Client, Line, is_passing};

/// What every reader saw, by deployment.
pub(super) type Logs = BTreeMap<String, Read>;

/// What one reader saw.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The lines, in the order in which they came.
    pub(super) lines: Vec<Line>,
    /// How often it had to connect again.
    pub(super) resumed: u64,
}

/// A deployment and what its reader saw.
type Outcome = anyhow::Result<(String, Read)>;

/// All readers.
#[derive(Clone)]
pub(super) struct Readers {
    client: Client,
    tasks: Arc<Mutex<JoinSet<Outcome>>>,
}

impl Readers {
    pub(super) fn new(client: Client) -> Self {
        Self { client, tasks: Arc::default() }
    }

    /// Begins to read a deployment's log.
    pub(super) fn follow(&self, deployment: &str) {
        lock(&self.tasks).spawn(follow(self.client.clone(), deployment.to_owned()));
    }

    /// Waits until every reader has come to the end of its log.
    pub(super) async fn end(self, patience: Duration) -> anyhow::Result<Logs> {
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        let mut logs = Logs::new();
        let collect = async {
            while let Some(done) = tasks.join_next().await {
                let (deployment, read) = done.context("a reader failed")??;
                logs.insert(deployment, read);
            }
            Ok(())
        };
        match timeout(patience, collect).await {
            Ok(outcome) => outcome.map(|()| logs),
            Err(_) => bail!("{} logs do not end", tasks.len()),
        }
    }
}

async fn follow(client: Client, deployment: String) -> Outcome {
    let mut read = Read::default();
    loop {
        let after = read.lines.last().map(|line| line.seq);
        let lines = &mut read.lines;
        match client.follow_log(&deployment, after, |line| lines.push(line)).await {
            Ok(true) => return Ok((deployment, read)),
            Ok(false) => {}
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(error.context(format!("reading the log of {deployment}"))),
        }
        read.resumed += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
