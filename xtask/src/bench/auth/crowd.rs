//! Many keys in the table, compared with a few.

use std::{ffi::OsStr, fmt::Write as _, fs};

use anyhow::Context as _;
use serde_json::json;

use super::{
    super::{Measure, median},
    Effort, Subject,
    forged::Forger,
};
use crate::terminal::{detail, step};

const FEW: usize = 10;

pub(super) async fn run(few: &Subject, effort: Effort) -> anyhow::Result<Vec<Measure>> {
    let many = step("started another server", Subject::start(few.binary.clone())).await?;
    step("imported keys into both", async {
        import(few, FEW)?;
        import(&many, effort.keys)
    })
    .await?;
    let loads = async {
        let (mut by_few, mut by_many) = (Vec::new(), Vec::new());
        for _ in 0..effort.rounds {
            by_few.push(few.load(&few.key, effort.seconds)?.per_second);
            by_many.push(many.load(&many.key, effort.seconds)?.per_second);
        }
        Ok((median(by_few)?, median(by_many)?))
    };
    let (by_few, by_many) = step("loaded both, in turns", loads).await?;
    many.server.stop()?;
    detail(format_args!(
        "answers a second: {by_few:.0} with {FEW} keys, {by_many:.0} with {}",
        effort.keys
    ));
    let name = "throughput with many keys in the table by that with ten";
    Ok(vec![Measure::at_least(0.9, "×", name, by_many / by_few)])
}

/// Imports keys by hashes that nobody knows a key for: they only have to be there.
fn import(subject: &Subject, count: usize) -> anyhow::Result<()> {
    let mut forger = Forger::of(&subject.key)?;
    let mut lines = String::new();
    for _ in 0..count {
        let line = json!({
            "prefix": format!("bench_{}", forger.digits(8)),
            // After a salt of 128 bits and after a hash of 184, the rest of a digit is zero.
            "hash": format!("$2b$04${}.{}.", forger.digits(21), forger.digits(30)),
            "name": "one of many",
            "scopes": ["read"],
        });
        writeln!(lines, "{line}").context("writing a line")?;
    }
    let file = subject.playground.path().join("keys.jsonl");
    fs::write(&file, lines).context("writing the keys")?;
    subject.administer(&[OsStr::new("import-keys"), file.as_os_str()]).map(drop)
}
