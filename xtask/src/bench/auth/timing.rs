//! Whether the time of a refusal tells which keys there are.

use std::time::Instant;

use anyhow::ensure;
use reqwest::StatusCode;

use super::{
    super::{Measure, median},
    Effort, Subject,
    forged::Forger,
};
use crate::terminal::{detail, step};

pub(super) async fn run(subject: &Subject, effort: Effort) -> anyhow::Result<Vec<Measure>> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut forger = Forger::of(&subject.key)?;
    let millis = async |key: String| {
        let start = Instant::now();
        let answer = http.get(subject.url()).bearer_auth(key).send().await?;
        let status = answer.status();
        answer.bytes().await?;
        ensure!(status == StatusCode::UNAUTHORIZED, "a wrong key was answered with {status}");
        Ok(start.elapsed().as_secs_f64() * 1_000.0)
    };
    let refusals = async {
        let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
        for round in 0..effort.refusals {
            // Whichever comes first has an easier or a harder time of it.
            if round % 2 == 0 {
                wrong.push(millis(forger.wrong_secret()).await?);
                unknown.push(millis(forger.unknown()).await?);
            } else {
                unknown.push(millis(forger.unknown()).await?);
                wrong.push(millis(forger.wrong_secret()).await?);
            }
        }
        Ok((median(wrong)?, median(unknown)?))
    };
    let (wrong, unknown) =
        step("presented wrong keys, known and unknown, in turns", refusals).await?;
    detail(format_args!("refused in {wrong:.2} ms (known), {unknown:.2} ms (unknown), medians"));
    let apart = (wrong / unknown - 1.0).abs() * 100.0;
    let name = "refusals of known and unknown keys, medians apart";
    Ok(vec![Measure::at_most(5.0, "%", name, apart)])
}
