//! Looks after a task: runs its command once in what was built, and reports once.

use std::{io, path::Path};

use windlass_domain::BuildResult;
use windlass_engine_kit::{
    files::{REPORT, STATE, remove_tree, write_json, write_json_durably},
    log::Log,
    record::{Failure, Measurement, Outcome},
    spool::{Policy, Spool},
};

use super::{
    bounds::Bounds,
    errand::{Pumps, environment, view},
    running::{Errand, Running},
};
use crate::{launch::Task, order::TaskOrder};

/// Runs a task from its order to its report.
pub(super) async fn run(folder: &Path, order: TaskOrder) -> io::Result<()> {
    let mut bounds = Bounds::new(folder, "task", order.limits, order.wall_millis);
    // What has begun is never begun again: not even after a power cut, which would lose a file
    // that is not on the disk yet.
    write_json_durably(&folder.join(STATE), &Measurement::default())?;
    let log = Log::new(Spool::open(folder, Policy::DropNew { bytes: order.log_bytes })?);
    let ended = run_command(&order, &mut bounds, &log).await.unwrap_or_else(|error| {
        log.say(&format!("Windlass failed: {error}"));
        Err(Failure::of(BuildResult::InternalError, "the engine failed to run this task"))
    });
    let measured = bounds.finish();
    order.place.group.remove().await;
    let _ = remove_tree(&order.place.temp);
    let _ = log.lock().confess();
    log.say(&match &ended {
        Ok(()) => format!("Task finished in {:.1} s", bounds.elapsed().as_secs_f64()),
        Err(failure) => format!("Task failed: {}", failure.message),
    });
    let lines = log.lock().lines();
    write_json(&folder.join(REPORT), &Outcome::new(ended, measured, lines))
}

async fn run_command(
    order: &TaskOrder,
    bounds: &mut Bounds<'_>,
    log: &Log,
) -> io::Result<Result<(), Failure>> {
    let TaskOrder { place, start, command, variables, limits, .. } = order;
    let view = view(place);
    log.say(&format!("$ {command}"));
    bounds.measure(&place.group);
    let mut running = Running::start(Errand {
        place,
        group: &place.group,
        identity: place.identity,
        limits: *limits,
        also_readable: None,
        folder: view.workspace.join(&start.folder),
        environment: environment(&view, start, variables, &[]),
        task: Task::Shell(command.clone()),
    })
    .await?;
    let pumps = Pumps::start(&mut running, log);
    let end = bounds.watch(&mut running, place).await;
    // Whatever it left running would go on using what nobody measures any more.
    running.end().await;
    pumps.finish().await;
    Ok(bounds.judge(end?, "the command", place, &[&place.group]))
}
