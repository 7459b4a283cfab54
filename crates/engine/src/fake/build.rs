//! One run of a build.

use std::sync::Arc;

use windlass_domain::{BuildId, BuildResult, Usage};

use super::{Inner, output::Output, script::BuildScript};
use crate::BuildReport;

pub(super) struct BuildRun {
    output: Output<BuildReport>,
    usage: Usage,
}

impl BuildRun {
    pub(super) fn begin(script: BuildScript, engine: Arc<Inner>, build: BuildId) -> Arc<Self> {
        let run = Arc::new(Self { output: Output::new(0), usage: script.usage });
        tokio::spawn(play(Arc::clone(&run), script, engine, build));
        run
    }

    pub(super) fn output(&self) -> &Output<BuildReport> {
        &self.output
    }

    /// Ends it, unless it has ended.
    pub(super) fn end(&self, result: BuildResult, message: &str) -> bool {
        self.output.end(|lines| BuildReport {
            result,
            message: message.to_owned(),
            usage: self.usage,
            lines,
        })
    }
}

async fn play(run: Arc<BuildRun>, script: BuildScript, engine: Arc<Inner>, build: BuildId) {
    run.output.play(script.steps, &*engine.clock).await;
    // Locked, so that whoever hears of the end finds what was built.
    let mut state = engine.state();
    if run.end(script.result, &script.message) && script.result == BuildResult::Built {
        state.built(build);
    }
}
