//! Builds that take too much, and what they are metered.

use std::time::Duration;

use windlass_domain::{BuildResult, LogStream};
use windlass_engine::Engine as _;

use crate::site::{Site, assert_complete, assert_gone, build, text};

#[tokio::test]
async fn a_build_that_never_ends_is_ended() {
    let (site, mut request) = Site::building("sleep 98762.1 & sleep 98762.1");
    request.limits.wall = Duration::from_secs(5);
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Timeout, "{report:?}");
    assert_eq!(report.message, "the build did not end within the 5 s it may take");
    assert_complete(&report, &lines);
    assert_gone("98762.1");
}

#[tokio::test]
async fn a_build_that_eats_memory_is_ended() {
    // The shell keeps all of it.
    let eat = "x=0123456789; while true; do x=$x$x; done";
    let (site, mut request) = Site::building(eat);
    request.limits.memory_bytes = 64 * 1024 * 1024;
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::MaxMemoryExceeded, "{report:?}\n{}", text(&lines));
    assert!(report.message.contains("the 64 MiB it may use"), "{report:?}");
}

#[tokio::test]
async fn a_build_that_fills_the_disk_is_ended() {
    let many = "i=0; while :; do i=$((i+1)); head -c 1000000 /dev/urandom > /tmp/f$i; done";
    let (site, request) = Site::building(many);
    let engine = site.engine().await;
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::BuildFailed);
    assert_eq!(report.message, "the build needed more disk space than the 64 MiB it may use");
}

#[tokio::test]
async fn an_image_that_is_too_large_is_not_kept() {
    let (site, mut request) = Site::building("head -c 20000000 /dev/urandom > big");
    request.limits.disk_bytes = 16 * 1024 * 1024;
    let engine = site.engine().await;
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::BuildFailed);
    assert!(report.message.ends_with("more disk space than the 16 MiB it may use"), "{report:?}");
    assert_eq!(engine.kept_builds().await.unwrap(), []);
}

#[tokio::test]
async fn a_build_cannot_start_too_many_processes() {
    let (site, mut request) = Site::building("for i in $(seq 60); do sleep 2 & done; wait; exit 1");
    request.limits.processes = 20;
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::BuildFailed, "{report:?}");
    assert!(text(&lines).contains("fork"), "{}", text(&lines));
}

#[tokio::test]
async fn megabytes_of_output_become_a_bounded_log() {
    let (site, request) = Site::building("yes 0123456789012345678 | head -c 20000000; echo end");
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Built, "{report:?}");
    assert_complete(&report, &lines);
    let bytes: usize = lines.iter().map(|line| line.text.as_str().len()).sum();
    assert!(bytes < 1024 * 1024, "{bytes}");
    let dropped = lines.iter().find(|line| line.text.as_str().contains("were dropped")).unwrap();
    assert_eq!(dropped.stream, LogStream::System);
}

#[tokio::test]
async fn what_is_metered_is_what_the_steps_have_used() {
    let burn = "i=0; while [ $i -lt 2000000 ]; do i=$((i+1)); done; times";
    let (site, request) = Site::building(burn);
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Built, "{report:?}\n{}", text(&lines));
    // `times` shows `0m1.230000s 0m0.010000s` of the shell.
    let shown = lines.iter().map(|it| it.text.as_str()).find(|it| it.starts_with("0m")).unwrap();
    let seconds: f64 = shown
        .split(' ')
        .map(|word| word.trim_start_matches("0m").trim_end_matches('s').parse::<f64>().unwrap())
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "seconds of a test")]
    let metered = report.usage.cpu_micros as f64 / 1e6;
    // Docker's own helpers begin and end in the group as well.
    assert!(seconds <= metered + 0.05 && metered < seconds + 1.0, "{metered} s for {seconds} s");
    assert!(500_000 < report.usage.peak_memory_bytes, "{report:?}");
}
