//! Looks after a build: fetches, runs, limits, measures, and reports once.

use std::{
    io,
    path::Path,
    pin::pin,
    process::ExitStatus,
    time::{Duration, Instant},
};

use tokio::io::AsyncReadExt as _;
use windlass_domain::{BuildResult, LogStream};
use windlass_engine_kit::{
    files::{REPORT, STATE, give_tree, overflow, remove_tree, tree_bytes, write_json},
    log::Log,
    meter::Meter,
    order::mebibytes,
    record::{Measurement, Outcome, ResultName},
    spool::{Policy, Spool},
    stop::Control,
};

use super::{
    errand::{Pumps, describe, environment, view},
    running::{Errand, Running},
};
use crate::{
    launch::Task,
    layout::{HOME, OUTPUT, WORKSPACE},
    order::BuildOrder,
    prepare::Prepared,
    record::{Output, Start},
};

/// What [`Prepared`] may take; it is written by a program that reads what others wrote.
const MAX_PREPARED: u64 = 64 * 1024;
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// Runs a build from its order to its report.
pub(super) async fn run(folder: &Path, order: BuildOrder) -> io::Result<()> {
    let began = Instant::now();
    write_json(&folder.join(STATE), &Measurement::default())?;
    let spool = Spool::open(folder, Policy::DropNew { bytes: order.log_bytes })?;
    let log = Log::new(spool);
    let mut build = Build {
        folder,
        meter: Meter::new(began),
        control: Control::new(folder),
        began,
        log: log.clone(),
        order,
    };
    let ended = build.run().await.unwrap_or_else(|error| {
        log.say(&format!("Windlass failed: {error}"));
        Err(Failure::of(BuildResult::InternalError, "the engine failed to run this build"))
    });
    let measured = build.meter.finish();
    build.order.place.group.remove().await;
    let _ = log.lock().confess();
    let outcome = match ended.and_then(|start| build.keep(start)) {
        Ok(()) => {
            log.say(&format!("Build finished in {:.1} s", began.elapsed().as_secs_f64()));
            let (result, message) = (ResultName(BuildResult::Built), String::new());
            Outcome::Ended { result, message, measured, lines: log.lock().lines() }
        }
        Err(failure) => {
            let _ = remove_tree(&build.order.place.output);
            log.say(&format!("Build failed: {}", failure.message));
            build.report(failure, measured)
        }
    };
    write_json(&folder.join(REPORT), &outcome)
}

/// Why there is nothing to run.
struct Failure {
    /// `None` where something outside is not there now.
    result: Option<BuildResult>,
    message: String,
}

impl Failure {
    fn of(result: BuildResult, message: impl Into<String>) -> Self {
        Self { result: Some(result), message: message.into() }
    }
}

/// How a command ended.
#[derive(Clone, Copy)]
enum End {
    Exit(ExitStatus),
    Cancelled,
    OutOfTime,
    OutOfDisk,
    OutOfMemory,
}

struct Build<'a> {
    folder: &'a Path,
    order: BuildOrder,
    log: Log,
    control: Control,
    meter: Meter,
    began: Instant,
}

type Step<T> = io::Result<Result<T, Failure>>;

impl Build<'_> {
    async fn run(&mut self) -> Step<Start> {
        let (command, start) = match self.fetch().await? {
            Ok(prepared) => prepared,
            Err(failure) => return Ok(Err(failure)),
        };
        let Some(command) = command else {
            self.log.say("Nothing has to be built");
            return Ok(Ok(start));
        };
        self.log.say(&format!("$ {command}"));
        self.meter.begin(self.order.place.group.clone());
        let done = self.build(command, &start).await?;
        Ok(done.map(|()| start))
    }

    async fn fetch(&mut self) -> Step<(Option<String>, Start)> {
        let checkout = &self.order.prepare.checkout;
        let (commit, branch) = (checkout.short_commit(), &checkout.branch);
        self.log.say(&format!("Fetching {commit} of branch {branch}"));

        let place = &self.order.place;
        let local = self.order.local_source.as_deref();
        let prepare = self.order.prepare.clone();
        let mut running = Running::start(Errand {
            place,
            group: &self.order.fetch_group,
            identity: place.identity.filter(|_| local.is_none()),
            limits: self.order.limits,
            also_readable: local,
            folder: view(place).workspace,
            environment: Vec::new(),
            task: Task::Prepare(Box::new(prepare)),
        })
        .await?;
        let Some((stdout, stderr)) = running.pipes() else {
            return Err(io::Error::other("a child without pipes"));
        };
        let errors = tokio::spawn(self.log.clone().pump(stderr, LogStream::Stderr));
        let answer = tokio::spawn(async move {
            let mut text = Vec::new();
            let _ = stdout.take(MAX_PREPARED).read_to_end(&mut text).await;
            text
        });
        let end = self.watch(&mut running).await?;
        running.end().await;
        let answer = answer.await.unwrap_or_default();
        let _ = errors.await;
        let failure = self.failure(end, "fetching the source");
        self.order.fetch_group.remove().await;
        if let Some(failure) = failure {
            return Ok(Err(failure));
        }
        match serde_json::from_slice(&answer)? {
            Prepared::Ready { build, start } => {
                if let (Some(_), Some(identity)) =
                    (&self.order.local_source, self.order.place.identity)
                {
                    give_tree(
                        &self.order.place.output.join(WORKSPACE),
                        identity.uid,
                        identity.gid,
                    )?;
                }
                Ok(Ok((build, start)))
            }
            Prepared::Refused(why) => Ok(Err(Failure::of(BuildResult::ClientError, why))),
            Prepared::Failed(why) => Ok(Err(Failure::of(BuildResult::InternalError, why))),
            Prepared::Unavailable(message) => Ok(Err(Failure { result: None, message })),
        }
    }

    async fn build(&mut self, command: String, start: &Start) -> Step<()> {
        let place = &self.order.place;
        let view = view(place);
        let mut running = Running::start(Errand {
            place,
            group: &place.group,
            identity: place.identity,
            limits: self.order.limits,
            also_readable: None,
            folder: view.workspace.join(&start.folder),
            environment: environment(&view, start, &self.order.variables, &[("CI", "true")]),
            task: Task::Shell(command),
        })
        .await?;
        let pumps = Pumps::start(&mut running, &self.log);
        let end = self.watch(&mut running).await?;
        // Whatever it left running would go on using what nobody measures any more.
        running.end().await;
        pumps.finish().await;
        Ok(self.failure(end, "the build command").map_or(Ok(()), Err))
    }

    /// Waits for the command, within the limits.
    async fn watch(&mut self, running: &mut Running) -> io::Result<End> {
        let Self { order, meter, control, folder, began, .. } = self;
        let wall = Duration::from_millis(order.wall_millis).saturating_sub(began.elapsed());
        let disk_bytes = order.limits.disk_bytes.unwrap_or(u64::MAX);
        let memory_bytes = order.limits.memory_bytes;
        let is_unlimited = order.place.group.is_absent();
        let mut out_of_time = pin!(tokio::time::sleep(wall));
        let mut out_of_disk = pin!(overflow(&order.place.output, disk_bytes));
        let mut stopped = pin!(control.stopped());
        let mut tick = tokio::time::interval(MEASURE_EVERY);
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => return Ok(End::Cancelled),
                status = running.wait() => return status.map(End::Exit),
                () = &mut out_of_time => return Ok(End::OutOfTime),
                () = &mut out_of_disk => return Ok(End::OutOfDisk),
                _ = tick.tick() => {
                    running.reap();
                    let measured = meter.read();
                    write_json(&folder.join(STATE), &measured)?;
                    if is_unlimited && memory_bytes < measured.peak_memory_bytes {
                        return Ok(End::OutOfMemory);
                    }
                }
            }
        }
    }

    fn failure(&self, end: End, what: &str) -> Option<Failure> {
        let BuildOrder { limits, wall_millis, place, fetch_group, .. } = &self.order;
        let disk_bytes = limits.disk_bytes.unwrap_or(u64::MAX);
        let out_of_memory = || {
            let memory = mebibytes(limits.memory_bytes);
            let message = format!("{what} needed more memory than the {memory} it may use");
            Failure::of(BuildResult::MaxMemoryExceeded, message)
        };
        let out_of_disk = || {
            let disk = mebibytes(disk_bytes);
            let message = format!("{what} needed more disk space than the {disk} it may use");
            Failure::of(BuildResult::BuildFailed, message)
        };
        let groups = [&place.group, fetch_group];
        match end {
            End::Cancelled => Some(Failure::of(BuildResult::Cancelled, "the build was cancelled")),
            End::OutOfTime => {
                let seconds = Duration::from_millis(*wall_millis).as_secs_f64();
                let message = format!("the build did not end within the {seconds} s it may take");
                Some(Failure::of(BuildResult::Timeout, message))
            }
            End::OutOfDisk => Some(out_of_disk()),
            End::OutOfMemory => Some(out_of_memory()),
            End::Exit(_) if disk_bytes < tree_bytes(&place.output) => Some(out_of_disk()),
            End::Exit(status) if status.success() => None,
            End::Exit(_) if groups.iter().any(|group| group.ran_out_of_memory()) => {
                Some(out_of_memory())
            }
            End::Exit(status) => {
                let (why, processes) = (describe(status), limits.processes);
                let message = if groups.iter().any(|group| group.ran_out_of_processes()) {
                    format!("{what} failed at its limit of {processes} processes: {why}")
                } else {
                    format!("{what} failed: {why}")
                };
                Some(Failure::of(BuildResult::BuildFailed, message))
            }
        }
    }

    /// Makes what was built ready to be started.
    fn keep(&self, start: Start) -> Result<(), Failure> {
        let place = &self.order.place;
        for needless in [
            &place.temp,
            &place.output.join(HOME).join(".cache"),
            &place.output.join(HOME).join(".npm"),
        ] {
            let _ = remove_tree(needless);
        }
        let output = Output { start, identity: place.identity };
        let written = write_json(&place.output.join(OUTPUT), &output);
        written.map_err(|error| {
            self.log.say(&format!("Windlass failed: {error}"));
            Failure::of(BuildResult::InternalError, "the engine could not keep this build")
        })
    }

    fn report(&self, failure: Failure, measured: Measurement) -> Outcome {
        let Failure { result, message } = failure;
        let lines = self.log.lock().lines();
        match result {
            Some(result) => Outcome::Ended { result: ResultName(result), message, measured, lines },
            None => Outcome::Unavailable { message },
        }
    }
}
