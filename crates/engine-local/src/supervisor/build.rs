//! Looks after a build: fetches, runs, limits, measures, and reports once.

use std::{io, path::Path};

use tokio::io::AsyncReadExt as _;
use windlass_domain::{BuildResult, LogStream};
use windlass_engine_kit::{
    files::{REPORT, STATE, give_tree, remove_tree, write_json},
    log::Log,
    record::{Failure, Measurement, Outcome},
    spool::{Policy, Spool},
};

use super::{
    bounds::{Bounds, End},
    errand::{Pumps, environment, view},
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

/// Runs a build from its order to its report.
pub(super) async fn run(folder: &Path, order: BuildOrder) -> io::Result<()> {
    let bounds = Bounds::new(folder, "build", order.limits, order.wall_millis);
    write_json(&folder.join(STATE), &Measurement::default())?;
    let spool = Spool::open(folder, Policy::DropNew { bytes: order.log_bytes })?;
    let log = Log::new(spool);
    let mut build = Build { bounds, log: log.clone(), order };
    let ended = build.run().await.unwrap_or_else(|error| {
        log.say(&format!("Windlass failed: {error}"));
        Err(Failure::of(BuildResult::InternalError, "the engine failed to run this build"))
    });
    let measured = build.bounds.finish();
    build.order.place.group.remove().await;
    let _ = log.lock().confess();
    let ended = ended.and_then(|start| build.keep(start));
    match &ended {
        Ok(()) => {
            let seconds = build.bounds.elapsed().as_secs_f64();
            log.say(&format!("Build finished in {seconds:.1} s"));
        }
        Err(failure) => {
            let _ = remove_tree(&build.order.place.output);
            log.say(&format!("Build failed: {}", failure.message));
        }
    }
    let lines = log.lock().lines();
    write_json(&folder.join(REPORT), &Outcome::new(ended, measured, lines))
}

struct Build<'a> {
    order: BuildOrder,
    log: Log,
    bounds: Bounds<'a>,
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
        self.bounds.measure(&self.order.place.group);
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
        let end = self.bounds.watch(&mut running, place).await?;
        running.end().await;
        let answer = answer.await.unwrap_or_default();
        let _ = errors.await;
        let fetched = self.judge(end, "fetching the source");
        self.order.fetch_group.remove().await;
        if let Err(failure) = fetched {
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
        let end = self.bounds.watch(&mut running, place).await?;
        // Whatever it left running would go on using what nobody measures any more.
        running.end().await;
        pumps.finish().await;
        Ok(self.judge(end, "the build command"))
    }

    fn judge(&self, end: End, what: &str) -> Result<(), Failure> {
        let BuildOrder { place, fetch_group, .. } = &self.order;
        self.bounds.judge(end, what, place, &[&place.group, fetch_group])
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
}
