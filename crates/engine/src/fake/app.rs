//! One app, from its start to its end.

use std::{net::SocketAddr, sync::Arc};

use tokio::sync::watch;

use super::{Inner, output::Output, script::AppScript};
use crate::{AppRequest, AppState, EngineError, ObservedApp, RunningApp};

pub(super) struct AppRun {
    request: AppRequest,
    phase: watch::Sender<Phase>,
    output: Output<()>,
}

enum Phase {
    There(AppState),
    /// It is gone; whoever waits for it gets this message.
    Gone(String),
}

impl AppRun {
    pub(super) fn begin(
        script: AppScript,
        address: SocketAddr,
        request: &AppRequest,
        engine: Arc<Inner>,
    ) -> Arc<Self> {
        let app = Arc::new(Self {
            request: request.clone(),
            phase: watch::Sender::new(Phase::There(AppState::Starting)),
            output: Output::new(request.first_line),
        });
        tokio::spawn(play(Arc::clone(&app), script, address, engine));
        app
    }

    pub(super) fn request(&self) -> &AppRequest {
        &self.request
    }

    pub(super) fn output(&self) -> &Output<()> {
        &self.output
    }

    pub(super) fn observed(&self) -> ObservedApp {
        let state = match &*self.phase.borrow() {
            Phase::There(state) => state.clone(),
            Phase::Gone(_) => AppState::Stopped,
        };
        let AppRequest { deployment, environment, build, .. } = self.request;
        ObservedApp { deployment, environment, build, state }
    }

    /// Whether it runs no more and is not started again by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.output.has_ended()
    }

    pub(super) fn set(&self, state: AppState) {
        let has_ended = matches!(state, AppState::Crashed { .. } | AppState::Stopped);
        self.phase.send_replace(Phase::There(state));
        if has_ended {
            self.output.end(|_| ());
        }
    }

    pub(super) fn stop(&self, message: &str) {
        self.phase.send_replace(Phase::Gone(message.to_owned()));
        self.output.end(|_| ());
    }

    pub(super) async fn until_healthy(&self) -> Result<RunningApp, EngineError> {
        let mut phase = self.phase.subscribe();
        loop {
            match &*phase.borrow_and_update() {
                Phase::There(AppState::Running(app)) => return Ok(app.clone()),
                Phase::There(AppState::Crashed { reason }) | Phase::Gone(reason) => {
                    return Err(EngineError::Refused(reason.clone()));
                }
                Phase::There(AppState::Stopped) => {
                    return Err(EngineError::Refused("the app was stopped".to_owned()));
                }
                Phase::There(AppState::Starting | AppState::Restarting { .. }) => {}
            }
            // The sender lives as long as `self`.
            let _ = phase.changed().await;
        }
    }

    /// Moves on from the start, unless it was stopped or changed meanwhile.
    fn finish_start(&self, next: Phase) -> bool {
        self.phase.send_if_modified(|phase| {
            let is_starting = matches!(phase, Phase::There(AppState::Starting));
            if is_starting {
                *phase = next;
            }
            is_starting
        })
    }
}

async fn play(app: Arc<AppRun>, script: AppScript, address: SocketAddr, engine: Arc<Inner>) {
    let deployment = app.request.deployment;
    engine.changed(deployment);
    app.output.play(script.steps, &*engine.clock).await;
    let is_finished = match script.refusal {
        None => {
            let running = AppState::Running(RunningApp { addresses: vec![address] });
            app.finish_start(Phase::There(running))
        }
        Some(reason) => {
            // Locked, so that whoever hears of the failure finds the app gone.
            let mut state = engine.state();
            let is_finished = app.finish_start(Phase::Gone(reason));
            if is_finished {
                state.remove_app(deployment);
                app.output.end(|_| ());
            }
            is_finished
        }
    };
    if is_finished {
        engine.changed(deployment);
    }
}
