//! Requests that keep coming to an app while something happens to it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use reqwest::Url;
use tokio::task::JoinSet;

/// Tasks that send requests; half of them with a new connection each time.
const TASKS: usize = 6;
/// Each task's pause between two requests.
const PAUSE: Duration = Duration::from_millis(8);

/// A way to one app through the ingress.
#[derive(Clone)]
pub(crate) struct Visitor {
    http: reqwest::Client,
    url: Url,
}

/// A running load.
pub(crate) struct Load {
    tasks: JoinSet<Outcome>,
    stop: Arc<AtomicBool>,
}

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Requests that got the app's answer.
    pub(crate) served: u64,
    /// Those that did not: each with what was wrong.
    pub(crate) failures: Vec<String>,
}

impl Visitor {
    /// Visits `url` at the ingress, whatever the name in it resolves to.
    pub(crate) fn new(url: &str, ingress: &str, reuse: bool) -> anyhow::Result<Self> {
        let url = Url::parse(url).with_context(|| format!("the app's address {url:?}"))?;
        let host = url.host_str().context("the app's address has no host")?;
        let ingress: SocketAddr = ingress.trim_start_matches("http://").parse()?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .resolve(host, ingress)
            .pool_max_idle_per_host(if reuse { usize::MAX } else { 0 })
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { http, url })
    }

    /// The app's answer to `GET` of a path; anything but 200 is an error.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<String> {
        let response = self.http.get(self.url.join(path)?).send().await?;
        let status = response.status();
        let body = response.text().await?;
        ensure!(status.as_u16() == 200, "{status}: {}", body.chars().take(200).collect::<String>());
        Ok(body)
    }
}

impl Load {
    /// Begins a load on an app's front page.
    pub(crate) fn begin(url: &str, ingress: &str) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..TASKS {
            let visitor = Visitor::new(url, ingress, number % 2 == 0)?;
            tasks.spawn(visit_until(visitor, stop.clone()));
        }
        Ok(Self { tasks, stop })
    }

    /// Ends it.
    pub(crate) async fn end(mut self) -> anyhow::Result<Outcome> {
        self.stop.store(true, Ordering::Relaxed);
        let mut total = Outcome::default();
        while let Some(outcome) = self.tasks.join_next().await {
            let Outcome { served, failures } = outcome.context("a task of the load failed")?;
            total.served += served;
            total.failures.extend(failures);
        }
        Ok(total)
    }
}

async fn visit_until(visitor: Visitor, stop: Arc<AtomicBool>) -> Outcome {
    let mut outcome = Outcome::default();
    while !stop.load(Ordering::Relaxed) {
        match visitor.get("/").await {
            Ok(_) => outcome.served += 1,
            Err(error) => outcome.failures.push(format!("{error:#}")),
        }
        tokio::time::sleep(PAUSE).await;
    }
    outcome
}
