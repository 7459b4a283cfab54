//! A command that has to end: waited for within its limits, and measured meanwhile.

use std::{
    io,
    path::Path,
    pin::pin,
    process::ExitStatus,
    time::{Duration, Instant},
};

use windlass_domain::BuildResult;
use windlass_engine_kit::{
    cgroup::Group,
    files::{STATE, overflow, tree_bytes, write_json},
    meter::Meter,
    order::{Limits, mebibytes},
    process::describe,
    record::{Failure, Measurement},
    stop::Control,
};

use super::running::Running;
use crate::order::Place;

const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// How a command ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    Exit(ExitStatus),
    Cancelled,
    OutOfTime,
    OutOfDisk,
    OutOfMemory,
}

/// The limits of a build or a task, over all its commands.
pub(super) struct Bounds<'a> {
    /// The supervisor's.
    pub(super) folder: &'a Path,
    /// What is limited: `build`.
    pub(super) what: &'static str,
    pub(super) limits: Limits,
    pub(super) wall: Duration,
    began: Instant,
    control: Control,
    meter: Meter,
}

impl<'a> Bounds<'a> {
    /// Time begins to count.
    pub(super) fn new(
        folder: &'a Path,
        what: &'static str,
        limits: Limits,
        wall_millis: u64,
    ) -> Self {
        let (began, wall) = (Instant::now(), Duration::from_millis(wall_millis));
        let (control, meter) = (Control::new(folder), Meter::new(began));
        Self { folder, what, limits, wall, began, control, meter }
    }

    /// Begins to measure what happens in a group.
    pub(super) fn measure(&mut self, group: &Group) {
        self.meter.begin(group.clone());
    }

    /// What was used in all, once nothing runs any more.
    pub(super) fn finish(&mut self) -> Measurement {
        self.meter.finish()
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for a command, within the limits.
    pub(super) async fn watch(&mut self, running: &mut Running, place: &Place) -> io::Result<End> {
        let rest = self.wall.saturating_sub(self.elapsed());
        let Self { folder, limits, control, meter, .. } = self;
        let is_unlimited = place.group.is_absent();
        let mut out_of_time = pin!(tokio::time::sleep(rest));
        let mut out_of_disk = pin!(async {
            match limits.disk_bytes {
                Some(most) => overflow(&place.output, most).await,
                None => std::future::pending().await,
            }
        });
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
                    if is_unlimited && limits.memory_bytes < measured.peak_memory_bytes {
                        return Ok(End::OutOfMemory);
                    }
                }
            }
        }
    }

    /// What an end means; `what` names the command, which ran in one of the groups.
    pub(super) fn judge(
        &self,
        end: End,
        what: &str,
        place: &Place,
        groups: &[&Group],
    ) -> Result<(), Failure> {
        let Limits { memory_bytes, processes, disk_bytes, .. } = self.limits;
        let disk_bytes = disk_bytes.unwrap_or(u64::MAX);
        let needed_more = |result, what_of: &str, bytes| {
            let most = mebibytes(bytes);
            let message = format!("{what} needed more {what_of} than the {most} it may use");
            Err(Failure::of(result, message))
        };
        let out_of_memory = || needed_more(BuildResult::MaxMemoryExceeded, "memory", memory_bytes);
        let out_of_disk = || needed_more(BuildResult::BuildFailed, "disk space", disk_bytes);
        let is_too_large = || disk_bytes < u64::MAX && disk_bytes < tree_bytes(&place.output);
        match end {
            End::Cancelled => {
                let message = format!("the {} was cancelled", self.what);
                Err(Failure::of(BuildResult::Cancelled, message))
            }
            End::OutOfTime => {
                let (name, seconds) = (self.what, self.wall.as_secs_f64());
                let message = format!("the {name} did not end within the {seconds} s it may take");
                Err(Failure::of(BuildResult::Timeout, message))
            }
            End::OutOfDisk => out_of_disk(),
            End::OutOfMemory => out_of_memory(),
            End::Exit(_) if is_too_large() => out_of_disk(),
            End::Exit(status) if status.success() => Ok(()),
            End::Exit(_) if groups.iter().any(|group| group.ran_out_of_memory()) => out_of_memory(),
            End::Exit(status) => {
                let why = describe(status);
                let message = if groups.iter().any(|group| group.ran_out_of_processes()) {
                    format!("{what} failed at its limit of {processes} processes: {why}")
                } else {
                    format!("{what} failed: {why}")
                };
                Err(Failure::of(BuildResult::BuildFailed, message))
            }
        }
    }
}
