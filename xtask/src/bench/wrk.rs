//! A load by wrk, and what it says of it.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::{process, tools};

/// What a load showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Result {
    /// Answers in a second.
    pub(super) per_second: f64,
    /// 99 of 100 requests were answered in this many milliseconds.
    pub(super) p99_millis: f64,
}

/// Loads a URL from one thread for some seconds. Answers that are not a success are an error.
pub(super) fn load(
    url: &str,
    headers: &[String],
    connections: u32,
    seconds: u32,
) -> anyhow::Result<Result> {
    let mut command = Command::new(tools::expect(tools::WRK)?);
    command.args(["--latency", "--threads", "1", "--timeout", "10s"]);
    command.arg("--connections").arg(connections.to_string());
    command.arg("--duration").arg(format!("{seconds}s"));
    for header in headers {
        command.arg("--header").arg(header);
    }
    let report = process::read(command.arg(url))?;
    read(&report)
}

fn read(report: &str) -> anyhow::Result<Result> {
    let bad = report
        .lines()
        .find(|line| line.contains("Non-2xx") || line.contains("Socket errors"))
        .map(str::trim);
    ensure!(bad.is_none(), "not every request was served: {}", bad.unwrap_or_default());
    let value = |label: &str| {
        let mut lines = report.lines().map(str::trim);
        lines.find_map(|line| line.strip_prefix(label)).map(str::trim)
    };
    let read = || {
        let per_second = value("Requests/sec:")?.parse().ok()?;
        let p99_millis = millis(value("99%")?)?;
        Some(Result { per_second, p99_millis })
    };
    read().with_context(|| format!("understanding what wrk says:\n{report}"))
}

fn millis(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0)];
    units.iter().find_map(|(unit, factor)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(number * factor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
Running 2s test @ http://127.0.0.1:8080/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.62ms    1.01ms  20.12ms   88.48%
    Req/Sec    12.31k     1.41k   14.20k    70.00%
  Latency Distribution
     50%    2.49ms
     99%  750.00us
  24509 requests in 2.00s, 3.90MB read
Requests/sec:  12250.77
Transfer/sec:      1.95MB
";

    #[test]
    fn a_report_is_read() {
        let result = read(REPORT).unwrap();
        assert!((result.per_second - 12_250.77).abs() < 0.001);
        assert!((result.p99_millis - 0.75).abs() < 0.001);
    }

    #[test]
    fn a_load_with_errors_is_no_measurement() {
        for line in [
            "  Non-2xx or 3xx responses: 3",
            "  Socket errors: connect 0, read 1, write 0, timeout 0",
        ] {
            assert!(read(&format!("{REPORT}{line}\n")).is_err(), "{line}");
        }
    }
}
