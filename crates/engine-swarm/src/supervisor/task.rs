//! Looks after a task: has its container run once, limits, measures, and reports once.

use std::{
    io,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    pin::pin,
    process::ExitStatus,
    time::{Duration, Instant},
};

use bollard::{Docker, models::ContainerState};
use windlass_domain::BuildResult;
use windlass_engine_kit::{
    files::{REPORT, STATE, write_json, write_json_durably},
    log::Log,
    meter::Meter,
    order::mebibytes,
    process::describe,
    record::{Failure, Measurement, Outcome},
    spool::{Policy, Spool},
    stop::Control,
};

use super::{
    container::{Container, Created},
    steps::{Step, Used, look},
};
use crate::{
    daemon::{PATIENCE, failure, status},
    order::TaskOrder,
};

const MEASURE_EVERY: Duration = Duration::from_secs(1);
/// How often Docker is asked to start a container that it could not start, and after which time.
const ATTEMPTS: u32 = 4;
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// How long Docker may take to end a container that was killed, and to give its last lines.
const END: Duration = Duration::from_secs(30);

/// Runs a task from its order to its report.
pub(super) async fn run(folder: &Path, order: TaskOrder) -> io::Result<()> {
    let began = Instant::now();
    // What has begun is never begun again: not even after a power cut, which would lose a file
    // that is not on the disk yet.
    write_json_durably(&folder.join(STATE), &Measurement::default())?;
    let log = Log::new(Spool::open(folder, Policy::DropNew { bytes: order.log_bytes })?);
    let mut task = Task {
        folder,
        control: Control::new(folder),
        log: log.clone(),
        meter: Meter::new(began),
        used: Used::default(),
        began,
        order: &order,
    };
    log.say(&format!("$ {}", order.command));
    let ended = task.run().await.unwrap_or_else(|error| {
        log.say(&format!("Windlass failed: {error}"));
        Err(Failure::of(BuildResult::InternalError, "the engine failed to run this task"))
    });
    let measured = task.measure();
    // Ends what Docker could not be told to end.
    order.group.remove().await;
    let _ = log.lock().confess();
    log.say(&match &ended {
        Ok(()) => format!("Task finished in {:.1} s", began.elapsed().as_secs_f64()),
        Err(failure) => format!("Task failed: {}", failure.message),
    });
    let lines = log.lock().lines();
    write_json(&folder.join(REPORT), &Outcome::new(ended, measured, lines))
}

struct Task<'a> {
    folder: &'a Path,
    order: &'a TaskOrder,
    log: Log,
    control: Control,
    meter: Meter,
    /// What Docker has shown, where the group does not tell.
    used: Used,
    began: Instant,
}

impl Task<'_> {
    async fn run(&mut self) -> io::Result<Result<(), Failure>> {
        let order = self.order;
        order.group.create(order.limits)?;
        self.meter.begin(order.group.clone());
        let docker = match order.endpoint.connect(PATIENCE).await {
            Ok(docker) => docker,
            Err(error) => return failure(error, &self.log).map(Err),
        };
        let mut container = Container::new(docker.clone(), &order.name, self.log.clone());
        match container.create(&order.container).await {
            Ok(Created::Now) => {}
            Ok(Created::Before) => {
                // Only somebody who has lost what we knew would ask for it again.
                container.kill().await;
                let message = "the task has run before, and how it ended is not known any more";
                return Ok(Err(Failure::of(BuildResult::InternalError, message)));
            }
            Err(error) => return failure(error, &self.log).map(Err),
        }
        if let Some(failure) = self.start(&container).await {
            return Ok(Err(failure));
        }
        let ended = self.watch(&docker, &mut container).await;
        // With its first process, all end.
        container.kill().await;
        let state = tokio::time::timeout(END, container.until_ended()).await;
        match (ended?, state) {
            (Some(failure), _) => Ok(Err(failure)),
            (None, Ok(Some(state))) => Ok(self.judge(&state)),
            (None, Ok(None) | Err(_)) => {
                let message = "the container of the task was removed from outside";
                Ok(Err(Failure::of(BuildResult::InternalError, message)))
            }
        }
    }

    /// Has it start. The swarm may need a moment to bring a new network to this node.
    async fn start(&self, container: &Container) -> Option<Failure> {
        let mut attempt = 1;
        loop {
            let error = container.start().await.err()?;
            self.log.say(&format!("Docker cannot start it: {error}"));
            if !container.was_never_started().await {
                container.kill().await;
                let message = "Docker was gone when the task was about to start";
                return Some(Failure::of(BuildResult::InternalError, message));
            }
            let is_its_fault = status(&error) == Some(400);
            if is_its_fault || attempt == ATTEMPTS {
                // It has done nothing, so it stands for nothing.
                container.remove().await;
                let message = format!("the command could not be started: {error}");
                let result = is_its_fault.then_some(BuildResult::BuildFailed);
                return Some(Failure { result, message });
            }
            attempt += 1;
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    /// Waits until it has ended, or must.
    async fn watch(
        &mut self,
        docker: &Docker,
        container: &mut Container,
    ) -> io::Result<Option<Failure>> {
        let wall = Duration::from_millis(self.order.wall_millis);
        let mut step = Step::new(self.order.name.clone());
        let mut late = pin!(tokio::time::sleep(wall.saturating_sub(self.began.elapsed())));
        let mut tick = tokio::time::interval(MEASURE_EVERY);
        let mut ended = pin!(container.until_ended());
        loop {
            tokio::select! {
                biased;
                _ = self.control.stopped() => {
                    let message = "the task was cancelled";
                    return Ok(Some(Failure::of(BuildResult::Cancelled, message)));
                }
                _ = &mut ended => return Ok(None),
                () = &mut late => {
                    let seconds = wall.as_secs_f64();
                    let message = format!("the task did not end within the {seconds} s it may take");
                    return Ok(Some(Failure::of(BuildResult::Timeout, message)));
                }
                _ = tick.tick() => {
                    if self.order.group.is_absent() {
                        look(docker, &mut step, &mut self.used).await;
                        self.used.cpu_micros = step.cpu_micros();
                    }
                    write_json(&self.folder.join(STATE), &self.measure())?;
                }
            }
        }
    }

    fn measure(&mut self) -> Measurement {
        let measured = self.meter.read();
        if !self.order.group.is_absent() {
            return measured;
        }
        let Used { cpu_micros, peak_memory_bytes, .. } = self.used;
        Measurement { cpu_micros, peak_memory_bytes, ..measured }
    }

    fn judge(&self, state: &ContainerState) -> Result<(), Failure> {
        let code = state.exit_code.and_then(|code| i32::try_from(code).ok()).unwrap_or(-1);
        // As wait(2) tells it.
        let status = ExitStatus::from_raw((code & 0xff) << 8);
        if status.success() {
            return Ok(());
        }
        let TaskOrder { group, limits, .. } = self.order;
        if state.oom_killed == Some(true)
            || group.ran_out_of_memory()
            || group.was_full(limits.memory_bytes)
        {
            let memory = mebibytes(limits.memory_bytes);
            let message = format!("the command needed more memory than the {memory} it may use");
            return Err(Failure::of(BuildResult::MaxMemoryExceeded, message));
        }
        let message = format!("the command failed: {}", describe(status));
        Err(Failure::of(BuildResult::BuildFailed, message))
    }
}
