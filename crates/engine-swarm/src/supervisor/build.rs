//! Looks after a build: fetches, has it built, limits, measures, and reports once.

use std::{
    io,
    path::{Path, PathBuf},
    pin::pin,
    time::{Duration, Instant},
};

use bollard::{Docker, body_try_stream, errors::Error};
use futures_util::StreamExt as _;
use windlass_domain::BuildResult;
use windlass_engine_kit::{
    checkout::{CheckoutError, check_out},
    files::{REPORT, STATE, make_folder, overflow, remove_tree, write_json},
    log::Log,
    meter::Meter,
    order::mebibytes,
    record::{Failure, Measurement, Outcome},
    spool::{Policy, Spool},
    stop::Control,
};

use super::{
    context::Context,
    image::{Image, for_builds},
    output::{News, Output},
    push::explain,
    recipe::{Dockerfile, Recipe, decide},
    steps::Steps,
};
use crate::{daemon::failure, order::BuildOrder};

const MEASURE_EVERY: Duration = Duration::from_secs(1);
/// What stands before the exit status where the daemon tells it.
const EXIT_STATUS: &str = "returned a non-zero code: ";
/// What a shell makes of a command that was ended by SIGKILL.
const KILLED: i64 = 137;

/// Runs a build from its order to its report.
pub(super) async fn run(folder: &Path, order: BuildOrder) -> io::Result<()> {
    let began = Instant::now();
    write_json(&folder.join(STATE), &Measurement::default())?;
    let spool = Spool::open(folder, Policy::DropNew { bytes: order.log_bytes })?;
    let log = Log::new(spool);
    let mut build = Build {
        folder,
        source: folder.join("source"),
        control: Control::new(folder),
        log: log.clone(),
        meter: Meter::new(began),
        measured: Measurement::default(),
        began,
        order: &order,
    };
    let ended = build.run().await.unwrap_or_else(|error| {
        log.say(&format!("Windlass failed: {error}"));
        Err(Failure::of(BuildResult::InternalError, "the engine failed to run this build"))
    });
    let measured = build.finish().await;
    let _ = log.lock().confess();
    log.say(&match &ended {
        Ok(()) => format!("Build finished in {:.1} s", began.elapsed().as_secs_f64()),
        Err(failure) => format!("Build failed: {}", failure.message),
    });
    let lines = log.lock().lines();
    write_json(&folder.join(REPORT), &Outcome::new(ended, measured, lines))
}

fn cancelled() -> Failure {
    Failure::of(BuildResult::Cancelled, "the build was cancelled")
}

struct Build<'a> {
    folder: &'a Path,
    source: PathBuf,
    order: &'a BuildOrder,
    log: Log,
    control: Control,
    meter: Meter,
    measured: Measurement,
    began: Instant,
}

type Step<T> = io::Result<Result<T, Failure>>;

impl Build<'_> {
    async fn run(&mut self) -> Step<()> {
        if let Err(failure) = self.fetch().await? {
            return Ok(Err(failure));
        }
        let BuildOrder { recipe, base_images, variables, .. } = self.order;
        let recipe = match decide(&self.source, recipe, base_images, variables) {
            Ok(recipe) => recipe,
            Err(why) => return Ok(Err(Failure::of(BuildResult::ClientError, why))),
        };
        self.announce(&recipe);
        let docker = match self.connect().await {
            Ok(docker) => docker,
            Err(error) => return self.failed(error),
        };
        let measures = self.order.group.is_absent();
        let steps = Steps::watch(docker.clone(), self.order.parent.clone(), measures);
        let built = self.build(&docker, &recipe, &steps).await;
        // Whatever it left running would go on using what nobody measures any more.
        let ended = steps.end().await;
        self.measure(&steps)?;
        if let Err(failure) = built? {
            return Ok(Err(failure));
        }
        if let Err(error) = ended {
            return self.failed(error);
        }
        self.keep(&docker).await
    }

    async fn fetch(&mut self) -> Step<()> {
        let Self { order, control, source, began, log, .. } = self;
        let checkout = &order.checkout;
        log.say(&format!("Fetching {} of branch {}", checkout.short_commit(), checkout.branch));
        remove_tree(source)?;
        make_folder(source, 0o700)?;
        let wall = Duration::from_millis(order.wall_millis).saturating_sub(began.elapsed());
        let disk_bytes = order.limits.disk_bytes.unwrap_or(u64::MAX);
        let fetched = tokio::select! {
            biased;
            _ = control.stopped() => Err(cancelled()),
            done = check_out(checkout, source) => done.map_err(|error| match error {
                CheckoutError::Refused(why) => Failure::of(BuildResult::ClientError, why),
                CheckoutError::Failed(why) => Failure::of(BuildResult::InternalError, why),
                CheckoutError::Unavailable(message) => Failure { result: None, message },
            }),
            () = tokio::time::sleep(wall) => Err(out_of_time(self.order)),
            () = overflow(source, disk_bytes) => Err(out_of_disk(self.order, "the source")),
        };
        Ok(fetched)
    }

    fn announce(&self, recipe: &Recipe) {
        if let Dockerfile::Text(text) = &recipe.dockerfile
            && self.order.recipe.dockerfile.is_none()
        {
            self.log.say("There is no Dockerfile; this one is made:");
            text.lines().for_each(|line| self.log.say(&format!("    {line}")));
        }
    }

    async fn connect(&mut self) -> Result<Docker, Error> {
        let BuildOrder { endpoint, wall_millis, limits, parent, group, .. } = self.order;
        // The daemon begins its answer when it has read all of the context.
        let patience = Duration::from_millis(*wall_millis);
        let docker = endpoint.connect(patience).await?;
        let each = group.is_absent().then_some(*limits);
        Ok(for_builds(docker, patience, parent, each))
    }

    async fn build(&mut self, docker: &Docker, recipe: &Recipe, steps: &Steps) -> Step<()> {
        self.order.group.create(self.order.limits)?;
        self.meter.begin(self.order.group.clone());
        let context = match Context::pack(recipe) {
            Ok(context) => context,
            Err(why) => return Ok(Err(Failure::of(BuildResult::ClientError, why))),
        };
        let options = Image::new(self.order).options(context.dockerfile.clone());
        let body = body_try_stream(context.into_stream());
        let mut answer = pin!(docker.build_image(options, None, Some(body)));
        let mut output = Output::new(self.log.clone());

        let wall = Duration::from_millis(self.order.wall_millis);
        let mut end_of_time = pin!(tokio::time::sleep(wall.saturating_sub(self.began.elapsed())));
        let mut tick = tokio::time::interval(MEASURE_EVERY);
        let disk_bytes = self.order.limits.disk_bytes.unwrap_or(u64::MAX);
        let mut is_built = false;
        let ended = loop {
            tokio::select! {
                biased;
                _ = self.control.stopped() => break Err(cancelled()),
                () = &mut end_of_time => break Err(out_of_time(self.order)),
                _ = tick.tick() => {
                    self.measure(steps)?;
                    if disk_bytes < steps.used().disk_bytes {
                        break Err(out_of_disk(self.order, "the build"));
                    }
                }
                news = answer.next() => match news.map(|info| info.map(|it| output.take(it))) {
                    Some(Ok(Some(News::Container(id)))) => steps.enter(id),
                    Some(Ok(Some(News::Image(_)))) => is_built = true,
                    Some(Ok(None)) => {}
                    Some(Err(Error::DockerStreamError { error })) => {
                        break Err(self.explain(&error));
                    }
                    Some(Err(error)) => {
                        output.end();
                        return self.failed(error);
                    }
                    None if is_built => break Ok(()),
                    None => {
                        let message = "the Docker daemon ended in the middle of the build";
                        break Err(Failure { result: None, message: message.to_owned() });
                    }
                },
            }
        };
        output.end();
        Ok(ended)
    }

    /// Makes what was built ready to be started.
    async fn keep(&mut self, docker: &Docker) -> Step<()> {
        let (order, log) = (self.order, self.log.clone());
        let image = Image::new(order);
        let kept = async {
            let bytes = image.bytes(docker).await?;
            if order.limits.disk_bytes.is_some_and(|most| most < bytes) {
                return Ok(Err(out_of_disk(order, "the image")));
            }
            match (image.push(docker, &log).await, &order.registry) {
                (Err(Error::DockerStreamError { error }), Some(registry)) => {
                    let message = explain(&registry.address, &error);
                    Ok(Err(Failure { result: None, message }))
                }
                (done, _) => done.map(Ok),
            }
        };
        let wall = Duration::from_millis(self.order.wall_millis);
        let rest = wall.saturating_sub(self.began.elapsed());
        let kept = tokio::select! {
            biased;
            kept = kept => kept,
            _ = self.control.stopped() => Ok(Err(cancelled())),
            () = tokio::time::sleep(rest) => Ok(Err(out_of_time(self.order))),
        };
        if !matches!(kept, Ok(Ok(()))) {
            // Whoever builds again removes it, too.
            let _ = image.remove(docker).await;
        }
        kept.map_or_else(|error| self.failed(error), Ok)
    }

    fn measure(&mut self, steps: &Steps) -> io::Result<()> {
        let mut measured = self.meter.read();
        if self.order.group.is_absent() {
            let used = steps.used();
            measured.cpu_micros = used.cpu_micros;
            measured.peak_memory_bytes = used.peak_memory_bytes;
        }
        self.measured = measured;
        write_json(&self.folder.join(STATE), &measured)
    }

    /// What was used in all, once nothing runs any more.
    async fn finish(&mut self) -> Measurement {
        let Measurement { wall_millis, .. } = self.meter.read();
        self.order.group.remove().await;
        let _ = remove_tree(&self.source);
        Measurement { wall_millis, ..self.measured }
    }

    /// Why the daemon has not built it, from its own words.
    fn explain(&self, message: &str) -> Failure {
        let status =
            message.rsplit_once(EXIT_STATUS).and_then(|(_, code)| code.trim().parse().ok());
        let BuildOrder { limits, group, .. } = self.order;
        let is_full = limits.memory_bytes <= self.measured.peak_memory_bytes;
        if status == Some(KILLED)
            && (group.ran_out_of_memory() || group.was_full(limits.memory_bytes) || is_full)
        {
            let memory = mebibytes(limits.memory_bytes);
            let message = format!("the build needed more memory than the {memory} it may use");
            return Failure::of(BuildResult::MaxMemoryExceeded, message);
        }
        Failure::of(BuildResult::BuildFailed, format!("the build failed: {message}"))
    }

    fn failed<T>(&self, error: Error) -> Step<T> {
        failure(error, &self.log).map(Err)
    }
}

fn out_of_time(order: &BuildOrder) -> Failure {
    let seconds = Duration::from_millis(order.wall_millis).as_secs_f64();
    let message = format!("the build did not end within the {seconds} s it may take");
    Failure::of(BuildResult::Timeout, message)
}

fn out_of_disk(order: &BuildOrder, what: &str) -> Failure {
    let disk = mebibytes(order.limits.disk_bytes.unwrap_or(u64::MAX));
    let message = format!("{what} needed more disk space than the {disk} it may use");
    Failure::of(BuildResult::BuildFailed, message)
}
