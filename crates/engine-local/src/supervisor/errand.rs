//! What is common to all commands of a project.

use std::time::Duration;

use tokio::task::JoinHandle;
use windlass_domain::LogStream;
use windlass_engine_kit::log::Log;

use super::running::Running;
use crate::{confinement::View, order::Place, record::Start};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long the last output may take, after everything that could print is gone.
const LAST_OUTPUT: Duration = Duration::from_secs(5);

/// The environment of a project's command: what everyone has, what the project says, and what it
/// can't change.
pub(super) fn environment(
    view: &View,
    start: &Start,
    variables: &[(String, String)],
    fixed: &[(&str, &str)],
) -> Vec<(String, String)> {
    let folder = view.workspace.join(&start.folder);
    let mut path: Vec<String> =
        start.paths.iter().map(|name| folder.join(name).to_string_lossy().into_owned()).collect();
    path.push(PATH.to_owned());
    let home = view.home.to_string_lossy().into_owned();
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut all = vec![own("PATH", &path.join(":")), own("HOME", &home), own("LANG", "C.UTF-8")];
    all.extend(variables.iter().cloned());
    all.extend(fixed.iter().map(|(name, value)| own(name, value)));
    all.push(own("WINDLASS_BRANCH", &start.branch));
    all.push(own("WINDLASS_COMMIT", &start.commit));
    all
}

/// Brings what a command prints into the log.
pub(super) struct Pumps(Vec<JoinHandle<()>>);

impl Pumps {
    pub(super) fn start(running: &mut Running, log: &Log) -> Self {
        let Some((stdout, stderr)) = running.pipes() else { return Self(Vec::new()) };
        Self(vec![
            tokio::spawn(log.clone().pump(stdout, LogStream::Stdout)),
            tokio::spawn(log.clone().pump(stderr, LogStream::Stderr)),
        ])
    }

    /// Waits for the last of it.
    pub(super) async fn finish(self) {
        for pump in self.0 {
            let _ = tokio::time::timeout(LAST_OUTPUT, pump).await;
        }
    }
}

/// Where commands of a place run.
pub(super) fn view(place: &Place) -> View {
    place.confinement.view(place)
}
