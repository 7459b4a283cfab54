//! A flood of wrong keys, and whether those with a right one notice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tokio::{
    sync::Semaphore,
    task::{self, JoinHandle},
    time::{MissedTickBehavior, interval},
};

use super::{
    super::{Measure, footprint::resident_mebibytes, median},
    Effort, Subject,
    forged::Forger,
};
use crate::terminal::{detail, step};

/// Wrong keys in a tenth of a second.
const EACH_TENTH: usize = 100;

/// More than these are not under way at once: they would only wait for a socket.
const UNDER_WAY: usize = 2_000;

pub(super) async fn run(subject: &Subject, effort: Effort) -> anyhow::Result<Vec<Measure>> {
    let before = resident_mebibytes(subject.server.id())?;
    let loads = async {
        let (mut calm, mut flooded, mut sent, mut peak) = (Vec::new(), Vec::new(), 0, before);
        for _ in 0..effort.rounds {
            calm.push(p99(subject, effort)?);
            let flood = Flood::begin(subject)?;
            flooded.push(p99(subject, effort)?);
            peak = peak.max(resident_mebibytes(subject.server.id())?);
            sent += flood.end().await?;
        }
        Ok((median(calm)?, median(flooded)?, sent, peak))
    };
    let title = "loaded it with a right key, with and without a flood of wrong ones";
    let (calm, flooded, sent, peak) = step(title, loads).await?;
    let seconds = effort.seconds as usize * effort.rounds;
    detail(format_args!(
        "p99 {calm:.2} ms without, {flooded:.2} ms with {} wrong keys a second",
        sent / seconds
    ));
    ensure!(seconds * 900 <= sent, "the flood was thinner than 900 keys a second");
    detail(format_args!("resident memory {before:.1} MiB before, {peak:.1} MiB at most"));
    Ok(vec![
        Measure::at_most(2.0, "×", "p99 of right keys in a flood by that without", flooded / calm),
        Measure::at_most(32.0, "MiB", "memory that a flood takes", peak - before),
    ])
}

/// Away from the threads that send the flood.
fn p99(subject: &Subject, effort: Effort) -> anyhow::Result<f64> {
    task::block_in_place(|| subject.load(&subject.key, effort.seconds)).map(|load| load.p99_millis)
}

/// Wrong keys that keep coming.
struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Flood {
    fn begin(subject: &Subject) -> anyhow::Result<Self> {
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let (url, mut forger) = (subject.url(), Forger::of(&subject.key)?);
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counter) = (stop.clone(), sent.clone());
        let places = Arc::new(Semaphore::new(UNDER_WAY));
        let task = tokio::spawn(async move {
            let mut tenths = interval(Duration::from_millis(100));
            tenths.set_missed_tick_behavior(MissedTickBehavior::Burst);
            while !stopped.load(Ordering::Relaxed) {
                tenths.tick().await;
                for number in 0..EACH_TENTH {
                    let Ok(place) = places.clone().try_acquire_owned() else { continue };
                    let key =
                        if number % 2 == 0 { forger.unknown() } else { forger.wrong_secret() };
                    let request = http.get(&url).bearer_auth(key);
                    let counter = counter.clone();
                    tokio::spawn(async move {
                        // However it is refused, and even where nobody answers, it was presented.
                        let _ = request.send().await;
                        counter.fetch_add(1, Ordering::Relaxed);
                        drop(place);
                    });
                }
            }
        });
        Ok(Self { stop, sent, task })
    }

    /// Ends it, and says how many were answered.
    async fn end(self) -> anyhow::Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.context("the flood broke off")?;
        Ok(self.sent.load(Ordering::Relaxed))
    }
}
