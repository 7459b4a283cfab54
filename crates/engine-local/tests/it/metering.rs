//! What is metered is what the kernel says.

use windlass_domain::BuildResult;
use windlass_engine::{BuildReport, Engine as _};

use crate::site::{Site, build, text, until};

/// Burns CPU time until the process itself has used so much, then says how much it was.
fn burn(seconds: f64) -> String {
    format!(
        "python3 -c 'import time\n\
         while time.process_time() < {seconds}: pass\n\
         print(\"burnt\", time.process_time(), flush=True)'"
    )
}

/// What the processes say that they have burnt.
fn burnt(lines: &str) -> f64 {
    lines
        .lines()
        .filter_map(|line| line.strip_prefix("burnt "))
        .map(|figure| figure.parse::<f64>().unwrap())
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a test")]
fn assert_metered(report: &BuildReport, seconds: f64) {
    let metered = report.usage.cpu_micros as f64 / 1e6;
    assert!((metered - seconds).abs() <= seconds * 0.1, "{metered} s for {seconds} s");
    assert!(1_000_000 < report.usage.peak_memory_bytes, "{report:?}");
    assert!(0 < report.usage.wall_millis);
}

#[tokio::test]
async fn one_process() {
    let (site, request) = Site::building(&burn(1.0));
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_metered(&report, burnt(&text(&lines)));
}

#[tokio::test]
async fn three_at_once_and_the_build_fails() {
    let one = burn(1.0);
    let (site, request) = Site::building(&format!("{one} & {one} & {one} & wait; exit 1"));
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::BuildFailed);
    let seconds = burnt(&text(&lines));
    assert!(3.0 <= seconds);
    assert_metered(&report, seconds);
}

#[tokio::test]
async fn a_grandchild_that_nobody_waits_for() {
    let command = format!(
        "setsid sh -c '({}; echo > done) &' & while [ ! -e done ]; do sleep 0.1; done",
        burn(1.0).replace('\'', r"'\''")
    );
    let (site, request) = Site::building(&command);
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_metered(&report, burnt(&text(&lines)));
}

#[tokio::test]
async fn a_cancelled_build() {
    let command = format!("{}; echo > done; sleep 60", burn(1.0));
    let (site, request) = Site::building(&command);
    let engine = site.engine().await;
    let done = site.data().join("engine/outputs").join(request.build.to_string()).join("app/done");
    let cancel = async {
        until("it has burnt", || done.exists()).await;
        engine.cancel_build(request.build).await.unwrap();
    };
    let (ended, ()) = tokio::join!(build(&engine, &request), cancel);
    let (report, lines) = ended.unwrap();
    assert_eq!(report.result, BuildResult::Cancelled);
    assert_metered(&report, burnt(&text(&lines)));
}
