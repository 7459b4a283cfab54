//! `cargo xtask bench`: measurements with a bar, each in one run with what it is compared with.

use std::{fs, net::TcpListener};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    server,
    terminal::{detail, say, step},
    workspace,
};

mod auth;
mod deploy;
mod footprint;
mod http;
mod ingress;
mod wrk;

#[derive(Args)]
pub(crate) struct Options {
    /// What to measure.
    name: Name,
    /// Fewer and shorter rounds: enough to see that it works, not to quote.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    server: server::Binary,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// Credentials: what they cost, what a flood of wrong ones does, and better-auth beside them.
    Auth,
    /// From a push to a live app, compared with doing the same by hand.
    Deploy,
    /// Memory when idle, and time to the first answer.
    Footprint,
    /// The API with a credential, compared with the same handler without.
    Http,
    /// The ingress, compared with nginx in front of the same app.
    Ingress,
}

/// One measured value and whether it holds its bar.
#[derive(Debug, Serialize)]
struct Measure {
    #[serde(rename = "measure")]
    name: &'static str,
    value: f64,
    unit: &'static str,
    bar: f64,
    better: Better,
    holds: bool,
}

/// Which values are better.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Better {
    Higher,
    Lower,
}

impl Measure {
    /// A value that has to reach the bar.
    fn at_least(bar: f64, unit: &'static str, name: &'static str, value: f64) -> Self {
        Self { name, value, unit, bar, better: Better::Higher, holds: bar <= value }
    }

    /// A value that must not exceed the bar.
    fn at_most(bar: f64, unit: &'static str, name: &'static str, value: f64) -> Self {
        Self { name, value, unit, bar, better: Better::Lower, holds: value <= bar }
    }
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let &Options { name, quick, ref server } = options;
    let build = async {
        match name {
            Name::Auth | Name::Http => server.release_with_open_door().await,
            Name::Deploy | Name::Footprint | Name::Ingress => server.release().await,
        }
    };
    let binary = step("built the server for release", build).await?;
    let measures = match name {
        Name::Auth => auth::run(binary, quick).await?,
        Name::Deploy => deploy::run(binary, quick).await?,
        Name::Footprint => footprint::run(binary, quick).await?,
        Name::Http => http::run(binary, quick).await?,
        Name::Ingress => ingress::run(binary, quick).await?,
    };
    let name = name.to_possible_value().context("the benchmark has no name")?;
    write(name.get_name(), &measures)?;
    show(&measures);
    let missed = measures.iter().filter(|measure| !measure.holds).count();
    ensure!(missed == 0, "{missed} of {} bars not held", measures.len());
    Ok(())
}

fn write(name: &str, measures: &[Measure]) -> anyhow::Result<()> {
    let folder = workspace::target()?.join("bench");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(measures)? + "\n";
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    detail(format_args!("written to {}", path.display()));
    Ok(())
}

fn show(measures: &[Measure]) {
    say(format_args!("\n{:54} {:>12} {:>12}", "measure", "value", "bar"));
    for Measure { name, value, unit, bar, better, holds } in measures {
        let mark = if *holds { "✔" } else { "✘" };
        let sign = match better {
            Better::Higher => "≥",
            Better::Lower => "≤",
        };
        let bar = format!("{sign} {bar}");
        say(format_args!("{name:54} {value:>12.2} {bar:>12} {unit:6} {mark}"));
    }
    say("");
}

/// The middle value; the mean of the two middle ones of an even number.
fn median(mut values: Vec<f64>) -> anyhow::Result<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let upper = *values.get(half).context("nothing was measured")?;
    if values.len().is_multiple_of(2) {
        return Ok(f64::midpoint(values.get(half - 1).copied().unwrap_or(upper), upper));
    }
    Ok(upper)
}

/// A port that was free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(vec![9.0, 1.0, 2.0]).unwrap() - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![9.0, 1.0, 2.0, 4.0]).unwrap() - 3.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_err());
    }

    #[test]
    fn a_bar_is_held_when_it_is_just_reached() {
        assert!(Measure::at_least(0.5, "", "", 0.5).holds);
        assert!(!Measure::at_least(0.5, "", "", 0.49).holds);
        assert!(Measure::at_most(60.0, "", "", 60.0).holds);
        assert!(!Measure::at_most(60.0, "", "", 60.1).holds);
    }

    #[test]
    fn no_measurement_holds_no_bar() {
        assert!(!Measure::at_most(1.0, "", "", f64::NAN).holds);
        assert!(!Measure::at_least(1.0, "", "", f64::NAN).holds);
    }
}
