//! What has to be true after any number of kills.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    load::Target,
    readers::{Logs, Read},
};
use crate::{
    client::{Client, Deployment, Line},
    load::Visitor,
    process::{self, Seen},
    server::{Addresses, Playground},
    terminal::{detail, say},
};

/// Looks at a server that is at rest.
pub(super) struct Audit<'a> {
    pub(super) client: &'a Client,
    pub(super) targets: &'a [Target],
    pub(super) playground: &'a Playground,
    pub(super) addresses: &'a Addresses,
    /// Its process id.
    pub(super) server: u32,
}

/// What was counted, and what is wrong.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) faults: Vec<String>,
    states: BTreeMap<String, u64>,
    builds: Builds,
    lines: u64,
    resumed: u64,
}

/// What the logs say of the builds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Builds {
    /// Those that began to run.
    ran: u64,
    /// Those of them that were lost and repeated.
    repeated: u64,
    /// What they used, in hundredths of a second, each rounded down.
    cpu_hundredths: u64,
}

impl Audit<'_> {
    pub(super) async fn run(&self, logs: &Logs) -> anyhow::Result<Report> {
        let mut report = Report::default();
        let mut live = Vec::new();
        let mut seen = BTreeSet::new();
        for target in self.targets {
            let deployments = self.client.deployments(&target.environment).await?;
            for deployment in &deployments {
                *report.states.entry(deployment.state.clone()).or_default() += 1;
                seen.insert(deployment.id.clone());
                let stored = self.client.log(&deployment.id).await?;
                report.check_log(deployment, &stored, logs.get(&deployment.id));
            }
            report.check_states(&target.name, &deployments);
            if let Some(newest) = newest_success(&deployments) {
                self.check_answer(target, newest, &mut report).await;
                live.push(newest.clone());
            }
        }
        for lost in logs.keys().filter(|id| !seen.contains(*id)) {
            report.fault(format!("{lost} was acknowledged and is gone"));
        }
        self.check_usage(&mut report).await?;
        self.check_processes(&live, &mut report).await?;
        Ok(report)
    }

    /// The ingress answers with the newest commit that succeeded.
    async fn check_answer(&self, target: &Target, newest: &Deployment, report: &mut Report) {
        let commit = newest.commit.as_deref().unwrap_or_default();
        let Some(version) = target.version(commit) else {
            return report.fault(format!("{}: commit {commit:?} was never made", newest.id));
        };
        let visitor = Visitor::new(&target.url, &self.addresses.ingress, false);
        let page = match visitor {
            Ok(visitor) => visitor.get("/").await,
            Err(error) => Err(error),
        };
        match page {
            Ok(page) if page.trim() == format!("version {version}") => {}
            Ok(page) => report.fault(format!(
                "{}: the ingress answers {:?}, but {version:?} is the newest that succeeded",
                target.name,
                page.trim()
            )),
            Err(error) => report.fault(format!("{}: the ingress answers {error:#}", target.name)),
        }
    }

    /// Each build that ran is metered exactly once.
    async fn check_usage(&self, report: &mut Report) -> anyhow::Result<()> {
        let usage = self.client.usage().await?;
        let Builds { ran, repeated, cpu_hundredths } = report.builds;
        let expected = ran + repeated;
        if usage.build_count != expected {
            let metered = usage.build_count;
            report.fault(format!("{expected} builds ran, but {metered} were metered"));
        }
        #[expect(clippy::cast_precision_loss, reason = "far from 2^52 hundredths of a second")]
        let (least, rounding) = (cpu_hundredths as f64 / 100.0, expected as f64 / 100.0);
        let used = usage.cpu_seconds;
        // A build that was lost has used something, too, and its log is not to be had.
        let most = if repeated == 0 { least + rounding } else { f64::INFINITY };
        if !(least - 0.01..=most + 0.01).contains(&used) {
            report.fault(format!("the logs add up to {least:.2} CPU seconds, usage says {used}"));
        }
        Ok(())
    }

    /// Nothing runs but the server and what is live.
    async fn check_processes(
        &self,
        live: &[Deployment],
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let mut left = self.left_over(live)?;
        // What was replaced may still be draining.
        for _ in 0..60 {
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            left = self.left_over(live)?;
        }
        for Seen { pid, command } in left {
            report.fault(format!("process {pid} is left over: {command}"));
        }
        Ok(())
    }

    fn left_over(&self, live: &[Deployment]) -> anyhow::Result<Vec<Seen>> {
        let mut found = process::naming(&self.playground.data())?;
        found.retain(|seen| {
            let wanted = live.iter().any(|deployment| {
                seen.command.contains(&deployment.id) || seen.command.contains(&deployment.build_id)
            });
            seen.pid != self.server && !wanted
        });
        Ok(found)
    }
}

/// The newest deployment that became live.
fn newest_success(deployments: &[Deployment]) -> Option<&Deployment> {
    deployments.iter().find(|found| matches!(found.state.as_str(), "live" | "superseded"))
}

impl Report {
    fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// Every deployment has ended or is live, and the live one is the newest that succeeded.
    fn check_states(&mut self, name: &str, deployments: &[Deployment]) {
        for Deployment { id, state, .. } in deployments {
            let known = ["live", "superseded", "failed", "cancelled"];
            if !known.contains(&state.as_str()) {
                self.fault(format!("{name}: {id} is still {state}"));
            }
        }
        let live = deployments.iter().filter(|found| found.state == "live").count();
        if live != 1 {
            self.fault(format!("{name}: {live} deployments are live, not one"));
        }
        if newest_success(deployments).is_some_and(|newest| newest.state != "live") {
            self.fault(format!("{name}: the newest deployment that succeeded is not live"));
        }
    }

    /// A stored log has no gaps, its reader saw each line once, and it says what was metered.
    fn check_log(&mut self, deployment: &Deployment, stored: &[Line], read: Option<&Read>) {
        let id = &deployment.id;
        if stored.windows(2).any(|pair| matches!(pair, [one, next] if one.seq + 1 != next.seq)) {
            self.fault(format!("{id}: the stored log has gaps"));
        }
        for number in 1..=20 {
            let doubled =
                stored.iter().filter(|line| line.text.starts_with(&format!("line {number} of ")));
            if 1 < doubled.count() {
                self.fault(format!("{id}: the stored log has line {number} of the build twice"));
            }
        }
        self.lines += stored.len() as u64;
        if let Some(Read { lines, resumed }) = read {
            self.resumed += resumed;
            if lines != stored {
                let first = lines.iter().zip(stored).position(|(one, other)| one != other);
                let (seen, total) = (lines.len(), stored.len());
                self.fault(format!(
                    "{id}: a reader saw {seen} lines, {total} are stored, they differ from {first:?}"
                ));
            }
        }
        if let Err(fault) = self.builds.add(stored) {
            self.fault(format!("{id}: {fault}"));
        }
    }

    pub(super) fn show(&self, kills: u32, pushes: u64) {
        let states: Vec<String> =
            self.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let Builds { ran, repeated, cpu_hundredths } = self.builds;
        let (cpu, hundredths) = (cpu_hundredths / 100, cpu_hundredths % 100);
        say("");
        detail(format_args!("{kills} kills, {pushes} pushes acknowledged"));
        detail(format_args!("deployments: {}", states.join(", ")));
        detail(format_args!("builds: {ran} ran ({repeated} again), {cpu}.{hundredths:02} CPU s"));
        detail(format_args!("log lines: {} stored, {} resumed", self.lines, self.resumed));
        for fault in &self.faults {
            say(format_args!("✘ {fault}"));
        }
    }
}

impl Builds {
    /// Adds what a build's log says of it. Its first line is written when it begins to run, and
    /// its last one when it is metered.
    fn add(&mut self, log: &[Line]) -> Result<(), &'static str> {
        let first = log.first().map_or("", |line| line.text.as_str());
        let mut costs = log.iter().filter_map(|line| cpu_hundredths(&line.text));
        let began = first.starts_with("Building commit ");
        match (began, costs.next(), costs.next()) {
            (false, None, None) => return Ok(()),
            (true, Some(cost), None) => self.cpu_hundredths += cost,
            (true, None, _) => return Err("its build began, and no cost is in its log"),
            (false, Some(_), _) => return Err("its build never began, and has a cost"),
            (_, _, Some(_)) => return Err("its build was metered twice"),
        }
        self.ran += 1;
        self.repeated += u64::from(first.contains(" again, in place of "));
        Ok(())
    }
}

/// Reads `(1.20 s, 0.42 CPU seconds, 12 MiB at most)`.
fn cpu_hundredths(text: &str) -> Option<u64> {
    let (before, _) = text.strip_suffix(" MiB at most)")?.split_once(" CPU seconds, ")?;
    let (_, number) = before.rsplit_once(' ')?;
    let (whole, hundredths) = number.split_once('.')?;
    Some(whole.parse::<u64>().ok()? * 100 + hundredths.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(texts: &[&str]) -> Vec<Line> {
        let lines = texts.iter().zip(1..);
        lines.map(|(text, seq)| Line { seq, text: (*text).to_owned() }).collect()
    }

    fn deployment(state: &str) -> Deployment {
        let text = format!(r#"{{"id":"dep_1","state":"{state}","build_id":"bld_1"}}"#);
        serde_json::from_str(&text).unwrap()
    }

    const COST: &str = "Build succeeded (1.20 s, 0.42 CPU seconds, 12 MiB at most)";

    #[test]
    fn what_ran_has_one_cost() {
        let mut builds = Builds::default();
        assert_eq!(builds.add(&log(&["Building commit 1 of main", "line", COST])), Ok(()));
        assert_eq!(builds.add(&log(&["Build cancelled: before it began"])), Ok(()));
        assert_eq!(builds, Builds { ran: 1, repeated: 0, cpu_hundredths: 42 });
        assert!(builds.add(&log(&["Building commit 1 of main", COST, COST])).is_err());
        assert!(builds.add(&log(&["Building commit 1 of main"])).is_err());
        assert!(builds.add(&log(&[COST])).is_err());
    }

    #[test]
    fn a_line_that_a_reader_missed_or_saw_twice_is_a_fault() {
        let stored = log(&["Building commit 1 of main", "a", COST]);
        let fault_with = |lines: Vec<Line>| {
            let mut report = Report::default();
            let read = Read { lines, resumed: 0 };
            report.check_log(&deployment("live"), &stored, Some(&read));
            !report.faults.is_empty()
        };
        assert!(!fault_with(stored.clone()));
        let (first, rest) = stored.split_first().unwrap();
        assert!(fault_with(rest.to_vec()));
        assert!(fault_with([std::slice::from_ref(first), &stored[..]].concat()));
    }

    #[test]
    fn a_gap_in_a_stored_log_is_a_fault() {
        let mut stored = log(&["Building commit 1 of main", "a", COST]);
        stored.remove(1);
        let mut report = Report::default();
        report.check_log(&deployment("live"), &stored, None);
        assert_eq!(report.faults, ["dep_1: the stored log has gaps"]);
    }

    #[test]
    fn states_that_cannot_stay_are_faults() {
        let faults = |states: &[&str]| {
            let mut report = Report::default();
            let deployments: Vec<Deployment> =
                states.iter().map(|state| deployment(state)).collect();
            report.check_states("red/main", &deployments);
            report.faults.len()
        };
        assert_eq!(faults(&["failed", "live", "superseded", "cancelled"]), 0);
        assert_eq!(faults(&["building", "live"]), 1);
        assert_eq!(faults(&["live", "live"]), 1);
        assert_eq!(faults(&["superseded", "live"]), 1);
        assert_eq!(faults(&["failed"]), 1);
    }
}
