//! `bench http`: what looking at a credential costs.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::{
    Measure, median,
    wrk::{self, load},
};
use crate::{
    server::{Launch, Playground},
    terminal::{detail, step},
    tools,
};

const CONNECTIONS: u32 = 32;

pub(super) async fn run(binary: PathBuf, quick: bool) -> anyhow::Result<Vec<Measure>> {
    tools::install(&[tools::WRK]).await?;
    let (rounds, seconds) = if quick { (3, 2) } else { (7, 5) };
    let playground = Playground::new()?;
    let launch = Launch::new(binary, playground.data(), None);
    let server = step("started the server, with a door for everybody", launch.start()).await?;
    let with_key = server.addresses().api.clone();
    let open_door = playground.data().join("open-door");
    let without = fs::read_to_string(open_door).context("this server has no such door")?;

    let client = launch.client(server.addresses())?;
    let body = json!({ "name": "shop", "git_url": "https://git.example.com/shop.git" });
    let project = client.create_project(&body).await?;
    let key = fs::read_to_string(launch.key_file()).context("reading the owner's key")?;
    let headers = [format!("Authorization: Bearer {}", key.trim())];
    let path = format!("/api/projects/{}", project.id);
    let loads = async {
        let (mut checked, mut unchecked) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            unchecked.push(load(&format!("{without}{path}"), &headers, CONNECTIONS, seconds)?);
            checked.push(load(&format!("{with_key}{path}"), &headers, CONNECTIONS, seconds)?);
        }
        Ok((checked, unchecked))
    };
    let (checked, unchecked) = step("loaded both doors, in turns", loads).await?;
    server.stop()?;

    let per_second =
        |results: &[wrk::Result]| median(results.iter().map(|result| result.per_second).collect());
    let (checked, unchecked) = (per_second(&checked)?, per_second(&unchecked)?);
    detail(format_args!("with a key {checked:.0} answers a second, without {unchecked:.0}"));
    let name = "throughput with a known key by that without, medians";
    Ok(vec![Measure::at_least(0.85, "×", name, checked / unchecked)])
}
