//! Credentials that were verified before, compared with nobody looking at any.

use std::fs;

use anyhow::Context as _;

use super::{
    super::{Measure, median, wrk},
    CONNECTIONS, Effort, Subject, bearer,
};
use crate::terminal::{detail, step};

pub(super) async fn run(subject: &Subject, effort: Effort) -> anyhow::Result<Vec<Measure>> {
    let open_door = subject.playground.data().join("open-door");
    let open_door = fs::read_to_string(open_door).context("this server has no such door")?;
    let token = subject.client.create_token("bench").await?;
    let session = session(subject).await?;
    let without = || {
        let url = format!("{open_door}{}", subject.path);
        wrk::load(&url, &[bearer(&subject.key)], CONNECTIONS, effort.seconds)
    };
    let loads = async {
        let (mut open, mut by_key, mut by_token) = (Vec::new(), Vec::new(), Vec::new());
        let mut by_session = Vec::new();
        for _ in 0..effort.rounds {
            open.push(without()?.per_second);
            by_key.push(subject.load(&subject.key, effort.seconds)?.per_second);
            by_token.push(subject.load(&token, effort.seconds)?.per_second);
            by_session.push(subject.load_with(session.clone(), effort.seconds)?.per_second);
        }
        Ok((median(open)?, [median(by_key)?, median(by_token)?, median(by_session)?]))
    };
    let title = "loaded it with a key, a token, a session and none";
    let (open, [key, token, session]) = step(title, loads).await?;
    detail(format_args!(
        "answers a second: {open:.0} without, {key:.0} with a key, {token:.0} with a token, \
         {session:.0} with a session"
    ));
    Ok(vec![
        Measure::at_least(0.85, "×", "throughput with a known key by that without", key / open),
        Measure::at_least(0.85, "×", "throughput with a known token by that without", token / open),
        Measure::at_least(
            0.85,
            "×",
            "throughput with a known session by that without",
            session / open,
        ),
    ])
}

/// The header of a browser in which the owner is signed in.
async fn session(subject: &Subject) -> anyhow::Result<String> {
    let link = subject.administer(&["set-up-link"])?;
    let (_, secret) = link.trim().split_once("token=").context("this is no set-up link")?;
    let cookie = subject.client.claim_owner(secret).await?;
    Ok(format!("Cookie: {cookie}"))
}
