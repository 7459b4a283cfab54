//! `bench footprint`: how little the server needs.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::{Measure, free_port, median};
use crate::{
    server::{Addresses, Launch, Playground},
    terminal::{detail, step},
};

pub(super) async fn run(binary: PathBuf, quick: bool) -> anyhow::Result<Vec<Measure>> {
    let rounds = if quick { 3 } else { 11 };
    let (mut first, mut again) = (Vec::new(), Vec::new());
    step("started it from nothing, then with what it had stored", async {
        for _ in 0..rounds {
            let playground = Playground::new()?;
            first.push(millis_to_first_answer(&binary, &playground.data()).await?);
            again.push(millis_to_first_answer(&binary, &playground.data()).await?);
        }
        Ok(())
    })
    .await?;
    detail(format_args!("first starts in ms: {first:.0?}"));
    detail(format_args!("later starts in ms: {again:.0?}"));

    let playground = Playground::new()?;
    let server = Launch::new(binary, playground.data(), None).start().await?;
    step("let it idle for 10 s", async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(())
    })
    .await?;
    let resident = resident_mebibytes(server.id())?;
    server.stop()?;
    Ok(vec![
        Measure::at_most(60.0, "MiB", "resident memory, idle after 10 s", resident),
        Measure::at_most(300.0, "ms", "first start to the first 200, median", median(first)?),
        Measure::at_most(300.0, "ms", "later start to the first 200, median", median(again)?),
    ])
}

/// From the start of the process until `/healthz` answers 200.
async fn millis_to_first_answer(binary: &Path, data: &Path) -> anyhow::Result<f64> {
    let api = format!("http://127.0.0.1:{}", free_port()?);
    let ingress = format!("http://127.0.0.1:{}", free_port()?);
    let launch = Launch::new(binary.to_owned(), data.to_owned(), None);
    let launch = launch.at(&Addresses { api: api.clone(), ingress });
    let http = reqwest::Client::builder().no_proxy().build()?;

    let start = Instant::now();
    let mut process = launch.spawn()?;
    let health = format!("{api}/healthz");
    while start.elapsed() < Duration::from_secs(30) {
        if let Some(status) = process.ended()? {
            bail!("the server ended at once ({status}), see {}", launch.log().display());
        }
        if http.get(&health).send().await.is_ok_and(|response| response.status() == 200) {
            return Ok(start.elapsed().as_secs_f64() * 1_000.0);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bail!("the server did not answer in 30 s");
}

/// How much memory a process has at the moment.
pub(super) fn resident_mebibytes(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    let kibibytes: f64 = kibibytes.context("the kernel does not say how much memory it uses")?;
    Ok(kibibytes / 1_024.0)
}
