//! Promises about logs.

use futures_util::future::join_all;
use uuid::Uuid;
use windlass_domain::{Id, LogId, LogLine, LogStream, LogText, NewLogLine};

use super::world::World;
use crate::{LogHead, SourceMove, Store};

fn build_log(world: &World<'_>) -> LogId {
    LogId::Build(Id::generate(world.fx()))
}

fn lines(world: &World<'_>, texts: impl IntoIterator<Item = String>) -> Vec<NewLogLine> {
    let to_line = |text: String| NewLogLine {
        time: world.now(),
        stream: LogStream::Stdout,
        text: LogText::from(text.as_str()),
    };
    texts.into_iter().map(to_line).collect()
}

fn some_lines(world: &World<'_>, count: usize) -> Vec<NewLogLine> {
    lines(world, (0..count).map(|number| format!("line {number}")))
}

async fn append(
    world: &World<'_>,
    log: LogId,
    lines: &[NewLogLine],
    source: Option<SourceMove>,
) -> bool {
    let mut uow = world.write().await;
    let appended = uow.logs().append(log, lines, source).await.unwrap();
    uow.commit().await.unwrap();
    appended
}

async fn read_all(world: &World<'_>, log: LogId) -> Vec<LogLine> {
    world.read().await.logs().read(log, 0, 100_000).await.unwrap()
}

fn numbers(lines: &[LogLine]) -> Vec<u64> {
    lines.iter().map(|line| line.seq).collect()
}

pub async fn a_log_that_nobody_wrote_to_is_empty_and_open(store: &dyn Store) {
    let world = World::new(store);
    let log = build_log(&world);
    let mut uow = world.read().await;
    let mut logs = uow.logs();
    let head = LogHead { next_seq: 1, first_seq: 1, ended: false };
    assert_eq!(logs.head(log).await.unwrap(), head);
    assert_eq!(logs.position(log, Uuid::nil()).await.unwrap(), 0);
    assert_eq!(logs.read(log, 0, 10).await.unwrap(), []);
}

pub async fn lines_are_numbered_from_one_and_read_back(store: &dyn Store) {
    let world = World::new(store);
    let (log, other) = (build_log(&world), LogId::App(Id::generate(world.fx())));
    let streams = [LogStream::Stdout, LogStream::Stderr, LogStream::System];
    let written: Vec<_> = streams
        .into_iter()
        .zip(["", "größer als 'das' \u{fffd}\t\u{1b}[31m", "\" -- ; DROP TABLE log_lines"])
        .map(|(stream, text)| NewLogLine { time: world.tick(), stream, text: text.into() })
        .collect();
    assert!(append(&world, log, &written[..1], None).await);
    assert!(append(&world, other, &some_lines(&world, 5), None).await);
    assert!(append(&world, log, &written[1..], None).await);

    let expected: Vec<_> = (1..)
        .zip(written)
        .map(|(seq, NewLogLine { time, stream, text })| LogLine { seq, time, stream, text })
        .collect();
    let mut uow = world.read().await;
    let mut logs = uow.logs();
    assert_eq!(logs.read(log, 0, 10).await.unwrap(), expected);
    assert_eq!(logs.read(log, 1, 1).await.unwrap(), expected[1..2]);
    assert_eq!(logs.read(log, 3, 10).await.unwrap(), []);
    assert_eq!(logs.head(log).await.unwrap().next_seq, 4);
    assert_eq!(logs.head(other).await.unwrap().next_seq, 6);
}

pub async fn a_repeated_append_of_a_source_is_refused(store: &dyn Store) {
    let world = World::new(store);
    let (log, source) = (build_log(&world), Uuid::from_u128(1));
    let first = SourceMove { source, from: 0, to: 2 };
    assert!(append(&world, log, &some_lines(&world, 2), Some(first)).await);
    assert!(!append(&world, log, &some_lines(&world, 2), Some(first)).await);
    let next = SourceMove { source, from: 2, to: 3 };
    assert!(append(&world, log, &some_lines(&world, 1), Some(next)).await);

    assert_eq!(numbers(&read_all(&world, log).await), [1, 2, 3]);
    assert_eq!(world.read().await.logs().position(log, source).await.unwrap(), 3);
}

pub async fn an_append_that_would_leave_a_gap_in_a_source_is_refused(store: &dyn Store) {
    let world = World::new(store);
    let (log, source) = (build_log(&world), Uuid::from_u128(1));
    let too_far = SourceMove { source, from: 2, to: 3 };
    assert!(!append(&world, log, &some_lines(&world, 1), Some(too_far)).await);
    assert_eq!(read_all(&world, log).await, []);
    assert_eq!(world.read().await.logs().position(log, source).await.unwrap(), 0);
}

pub async fn a_source_may_move_on_without_lines(store: &dyn Store) {
    let world = World::new(store);
    let (log, source) = (build_log(&world), Uuid::from_u128(1));
    let dropped = SourceMove { source, from: 0, to: 1_000 };
    assert!(append(&world, log, &[], Some(dropped)).await);
    assert!(!append(&world, log, &[], Some(dropped)).await);
    let next = SourceMove { source, from: 1_000, to: 1_001 };
    assert!(append(&world, log, &some_lines(&world, 1), Some(next)).await);
    assert_eq!(numbers(&read_all(&world, log).await), [1]);
}

pub async fn sources_of_one_log_are_told_apart(store: &dyn Store) {
    let world = World::new(store);
    let log = LogId::App(Id::generate(world.fx()));
    let another_log = LogId::App(Id::generate(world.fx()));
    for source in [Uuid::from_u128(1), Uuid::from_u128(2)] {
        for log in [log, another_log] {
            let moved = SourceMove { source, from: 0, to: 1 };
            assert!(append(&world, log, &some_lines(&world, 1), Some(moved)).await);
        }
    }
    assert_eq!(numbers(&read_all(&world, log).await), [1, 2]);
}

pub async fn nothing_comes_after_the_end(store: &dyn Store) {
    let world = World::new(store);
    let (log, empty) = (build_log(&world), build_log(&world));
    append(&world, log, &some_lines(&world, 1), None).await;
    let mut uow = world.write().await;
    for log in [log, empty, log] {
        uow.logs().end(log).await.unwrap();
        assert!(uow.logs().head(log).await.unwrap().ended);
    }
    uow.commit().await.unwrap();

    let moved = SourceMove { source: Uuid::from_u128(1), from: 0, to: 1 };
    for source in [None, Some(moved)] {
        assert!(!append(&world, log, &some_lines(&world, 1), source).await);
        assert!(!append(&world, empty, &some_lines(&world, 1), source).await);
    }
    assert_eq!(read_all(&world, log).await.len(), 1);
    assert_eq!(world.read().await.logs().position(log, moved.source).await.unwrap(), 0);
}

pub async fn trimming_keeps_the_newest_lines_and_the_numbering(store: &dyn Store) {
    let world = World::new(store);
    let (log, other) = (build_log(&world), build_log(&world));
    append(&world, log, &some_lines(&world, 10), None).await;
    append(&world, other, &some_lines(&world, 10), None).await;
    for (keep, expected) in [(20, 1), (4, 7), (6, 7), (4, 7), (1, 10), (0, 11)] {
        let mut uow = world.write().await;
        uow.logs().trim(log, keep).await.unwrap();
        uow.commit().await.unwrap();
        let kept = read_all(&world, log).await;
        assert_eq!(numbers(&kept), (expected..11).collect::<Vec<u64>>(), "keeping {keep}");
        let head = world.read().await.logs().head(log).await.unwrap();
        assert_eq!((head.first_seq, head.next_seq), (expected, 11));
    }
    append(&world, log, &some_lines(&world, 1), None).await;
    assert_eq!(numbers(&read_all(&world, log).await), [11]);
    assert_eq!(read_all(&world, other).await.len(), 10);
}

pub async fn a_large_batch_is_kept_whole(store: &dyn Store) {
    let world = World::new(store);
    let log = build_log(&world);
    let written = some_lines(&world, 10_007);
    assert!(append(&world, log, &written, None).await);
    let read = read_all(&world, log).await;
    assert_eq!(numbers(&read), (1..=10_007).collect::<Vec<u64>>());
    assert!(read.iter().map(|line| &line.text).eq(written.iter().map(|line| &line.text)));

    let longest = lines(&world, ["x".repeat(LogText::MAX)]);
    assert!(append(&world, log, &longest, None).await);
    let read = world.read().await.logs().read(log, 10_007, 10).await.unwrap();
    assert_eq!(read.first().map(|line| &line.text), longest.first().map(|line| &line.text));
}

pub async fn an_append_that_is_not_committed_leaves_nothing(store: &dyn Store) {
    let world = World::new(store);
    let log = build_log(&world);
    let moved = SourceMove { source: Uuid::from_u128(1), from: 0, to: 3 };
    let mut uow = world.write().await;
    assert!(uow.logs().append(log, &some_lines(&world, 3), Some(moved)).await.unwrap());
    drop(uow);

    assert!(append(&world, log, &some_lines(&world, 3), Some(moved)).await);
    assert_eq!(numbers(&read_all(&world, log).await), [1, 2, 3]);
}

pub async fn concurrent_appends_leave_no_gaps(store: &dyn Store) {
    let world = World::new(store);
    let log = build_log(&world);
    let append_in_steps = async |writer: u128| {
        for step in 0..10 {
            let source = Uuid::from_u128(writer);
            let moved = SourceMove { source, from: step * 3, to: step * 3 + 3 };
            let texts = (0..3).map(|number| format!("{writer} {}", step * 3 + number));
            assert!(append(&world, log, &lines(&world, texts), Some(moved)).await);
        }
    };
    join_all((1..=6).map(append_in_steps)).await;

    let read = read_all(&world, log).await;
    assert_eq!(numbers(&read), (1..=180).collect::<Vec<u64>>());
    for writer in 1..=6 {
        let prefix = format!("{writer} ");
        let of_writer = read.iter().filter_map(|line| line.text.as_str().strip_prefix(&prefix));
        let expected = (0..30).map(|number| number.to_string());
        assert!(of_writer.eq(expected), "lines of writer {writer} are out of order");
    }
}
