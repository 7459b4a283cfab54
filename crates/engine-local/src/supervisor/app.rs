//! Looks after an app: starts it, waits until it answers, and starts it again when it ends by
//! itself.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    pin::pin,
    process::ExitStatus,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use windlass_engine_kit::{
    files::{STATE, write_json},
    health::{self, Way},
    log::Log,
    order::mebibytes,
    process::describe,
    recognise::StartHow,
    spool::{Policy, Spool},
    stop::Control,
};

use super::{
    errand::{Pumps, environment, view},
    running::{Errand, Running},
};
use crate::{
    launch::Task,
    order::AppOrder,
    record::{AppRecord, AppStatus},
};

/// How often an app is started again before it is given up.
const MAX_RESTARTS: u32 = 5;
/// After running so long, earlier ends are forgotten.
const RUNS_WELL: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often an app is asked whether it answers: quickly at first, most start quickly.
const ASK_AFTER: Duration = Duration::from_millis(10);
const ASK_AT_MOST_EVERY: Duration = Duration::from_millis(250);

/// Runs an app until it is stopped or given up.
pub(super) async fn run(folder: &Path, order: AppOrder) -> io::Result<()> {
    let spool = Spool::open(folder, Policy::DropOld { bytes: order.log_bytes })?;
    let mut app = App {
        folder,
        control: Control::new(folder),
        log: Log::new(spool),
        was_healthy: false,
        order,
    };
    app.tell(AppStatus::Starting)?;
    let last = match app.keep_running().await {
        Ok(status) => status,
        Err(error) => {
            app.log.say(&format!("Windlass failed: {error}"));
            AppStatus::Crashed { reason: "the engine failed to run this app".to_owned() }
        }
    };
    app.tell(last)
}

/// How one run ended.
enum End {
    Exit {
        status: ExitStatus,
        out_of_memory: bool,
    },
    /// It did not answer in time, for this reason.
    Silent(String),
    Stopped,
}

struct App<'a> {
    folder: &'a Path,
    order: AppOrder,
    control: Control,
    log: Log,
    was_healthy: bool,
}

impl App<'_> {
    async fn keep_running(&mut self) -> io::Result<AppStatus> {
        let mut restarts = 0;
        loop {
            let began = Instant::now();
            let reason = match self.run_once().await? {
                End::Stopped => return Ok(AppStatus::Stopped),
                End::Exit { status, out_of_memory } => self.explain(status, out_of_memory),
                End::Silent(reason) => self.with_last_lines(&reason),
            };
            if RUNS_WELL <= began.elapsed() {
                restarts = 0;
            }
            if !self.was_healthy || restarts == MAX_RESTARTS {
                self.log.say("The app is not started again");
                return Ok(AppStatus::Crashed { reason });
            }
            let pause = (FIRST_PAUSE * 2_u32.pow(restarts)).min(LONGEST_PAUSE);
            restarts += 1;
            self.tell(AppStatus::Restarting { restarts })?;
            self.log.say(&format!("The app ended; starting it again (number {restarts})"));
            tokio::select! {
                _ = self.control.stopped() => return Ok(AppStatus::Stopped),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn run_once(&mut self) -> io::Result<End> {
        self.log.lock().forget_recent();
        let mut running = self.start().await?;
        let pumps = Pumps::start(&mut running, &self.log);
        let end = self.watch(&mut running).await;
        running.end().await;
        pumps.finish().await;
        let out_of_memory = self.order.place.group.ran_out_of_memory();
        self.order.place.group.remove().await;
        Ok(match end? {
            End::Exit { status, .. } => End::Exit { status, out_of_memory },
            other @ (End::Silent(_) | End::Stopped) => other,
        })
    }

    async fn start(&self) -> io::Result<Running> {
        let AppOrder { place, start, variables, port, .. } = &self.order;
        let view = view(place);
        let task = match &start.how {
            StartHow::Command(command) => {
                self.log.say(&format!("$ {command}"));
                Task::Shell(command.clone())
            }
            StartHow::Static(folders) => {
                self.log.say("Serving static files");
                Task::Serve { folders: folders.clone(), port: *port }
            }
        };
        let fixed = [("PORT", &*port.to_string())];
        Running::start(Errand {
            place,
            group: &place.group,
            identity: place.identity,
            limits: self.order.limits,
            also_readable: None,
            folder: view.workspace.join(&start.folder),
            environment: environment(&view, start, variables, &fixed),
            task,
        })
        .await
    }

    /// Waits until a run is over, or must be.
    async fn watch(&mut self, running: &mut Running) -> io::Result<End> {
        let (port, path) = (self.order.port, self.order.health_path.clone());
        let patience = Duration::from_millis(self.order.start_timeout_millis);
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        let mut is_healthy = false;
        let mut late = pin!(tokio::time::sleep(patience));
        let last_answer = Mutex::new(String::new());
        let mut healthy = pin!(until_healthy(port, path, &last_answer));
        loop {
            tokio::select! {
                biased;
                grace = self.control.stopped() => {
                    self.tell(AppStatus::Stopped)?;
                    self.log.say("Stopping the app");
                    running.ask_to_end();
                    let _ = tokio::time::timeout(grace, running.wait()).await;
                    return Ok(End::Stopped);
                }
                status = running.wait() => {
                    return Ok(End::Exit { status: status?, out_of_memory: false });
                }
                () = &mut late, if !is_healthy => {
                    let seconds = patience.as_secs_f64();
                    let why = last_answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let reason = format!("the app was not healthy after {seconds} s: {why}");
                    return Ok(End::Silent(reason));
                }
                () = &mut healthy, if !is_healthy => {
                    (is_healthy, self.was_healthy) = (true, true);
                    self.tell(AppStatus::Running)?;
                }
                _ = tick.tick() => running.reap(),
            }
        }
    }

    fn explain(&self, status: ExitStatus, out_of_memory: bool) -> String {
        let why = if out_of_memory {
            let memory = mebibytes(self.order.limits.memory_bytes);
            format!("it needed more memory than the {memory} it may use")
        } else {
            describe(status)
        };
        let when = if self.was_healthy { "" } else { " before it was healthy" };
        self.with_last_lines(&format!("the app ended{when}: {why}"))
    }

    fn with_last_lines(&self, reason: &str) -> String {
        match self.log.lock().recent() {
            lines if lines.is_empty() => format!("{reason}; it printed nothing"),
            lines => format!("{reason}; its last lines:\n{lines}"),
        }
    }

    fn tell(&self, status: AppStatus) -> io::Result<()> {
        let AppOrder { deployment, environment, build, port, .. } = self.order;
        let record = AppRecord { deployment, environment, build, port, status };
        write_json(&self.folder.join(STATE), &record)
    }
}

/// Asks until the app answers, and keeps what was wrong last.
async fn until_healthy(port: u16, path: Option<String>, last_answer: &Mutex<String>) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut pause = ASK_AFTER;
    loop {
        tokio::time::sleep(pause).await;
        match health::check(address, Way::Direct, path.as_deref()).await {
            Ok(()) => return,
            Err(why) => *last_answer.lock().unwrap_or_else(PoisonError::into_inner) = why,
        }
        pause = (pause * 3 / 2).min(ASK_AT_MOST_EVERY);
    }
}
