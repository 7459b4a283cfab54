//! Builds that take too much.

use std::time::Duration;

use windlass_domain::{BuildResult, LogStream};

use crate::site::{Site, assert_complete, assert_gone, build, text};

#[tokio::test]
async fn a_build_that_never_ends_is_ended() {
    let (site, mut request) = Site::building("sleep 98765.4 & sleep 98765.4");
    request.limits.wall = Duration::from_secs(2);
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Timeout);
    assert_eq!(report.message, "the build did not end within the 2 s it may take");
    assert_complete(&report, &lines);
    assert_gone("98765.4");
}

#[tokio::test]
async fn a_build_that_fills_the_disk_is_ended() {
    let many = "i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > f$i || exit 9; done";
    let (site, request) = Site::building(many);
    let engine = site.engine().await;
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::BuildFailed);
    let expected = "the build command needed more disk space than the 64 MiB it may use";
    assert_eq!(report.message, expected);
    let output = site.data().join("engine/outputs").join(request.build.to_string());
    assert!(!output.exists());
}

#[tokio::test]
async fn one_huge_file_cannot_be_written() {
    let (site, request) = Site::building("head -c 3000000000 /dev/zero > /tmp/huge");
    let engine = site.engine().await;
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::BuildFailed, "{report:?}");
}

#[tokio::test]
async fn a_build_that_eats_memory_is_ended() {
    let (site, mut request) =
        Site::building("python3 -c 'x = bytearray(1 << 30); print(len(x))'; exit 7");
    request.limits.memory_bytes = 100 * 1024 * 1024;
    let engine = site.engine().await;
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::MaxMemoryExceeded, "{report:?}");
    assert!(report.message.contains("the 100 MiB it may use"), "{report:?}");
}

#[tokio::test]
async fn a_build_that_starts_too_many_processes_is_told_so() {
    let (site, mut request) =
        Site::building("for i in $(seq 100); do sleep 5 & done; wait; exit 1");
    request.limits.processes = 20;
    let engine = site.engine().await;
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::BuildFailed, "{report:?}");
    // Only control groups tell why.
    let is_told = report.message.contains("its limit of 20 processes");
    assert!(is_told || !engine.warnings().is_empty(), "{report:?}");
}

#[tokio::test]
async fn a_hundred_megabytes_of_output_become_a_bounded_log() {
    let (site, request) = Site::building("yes 0123456789012345678 | head -c 100000000; echo end");
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
async fn binary_output_and_endless_lines_become_lines() {
    let (site, request) = Site::building(
        "printf 'a\\000b\\377\\n'; head -c 200000 /dev/urandom; echo; head -c 5000000 /dev/zero",
    );
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Built, "{report:?}");
    assert_complete(&report, &lines);
    assert!(text(&lines).contains("a\u{fffd}b\u{fffd}"));
}
