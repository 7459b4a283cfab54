//! Signals between servers that share a database.

use windlass_domain::{
    BuildId, LogId,
    test_util::{CountingEntropy, ManualClock},
};
use windlass_storage::{Signal, Store};
use windlass_storage_seaorm::test_util::fresh_store;

#[tokio::test]
async fn a_signal_reaches_other_servers_after_the_commit_and_its_own_once() {
    let here = fresh_store("servers").await;
    if !here.is_postgres() {
        // An SQLite file belongs to one server.
        return;
    }
    let there = here.connect_again().await;
    let (mut at_home, mut abroad) = (here.signals(), there.signals());
    let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
    let log = Signal::Log(LogId::Build(BuildId::generate(entropy.with(&clock))));

    let mut dropped = here.write().await.unwrap();
    dropped.signal(Signal::Anything);
    drop(dropped);
    let mut uow = here.write().await.unwrap();
    uow.signal(log);
    uow.signal(Signal::Jobs);
    uow.commit().await.unwrap();

    assert_eq!(abroad.recv().await, Ok(log));
    assert_eq!(abroad.recv().await, Ok(Signal::Jobs));
    // An answer from abroad comes after anything that would have come back from there.
    let mut uow = there.write().await.unwrap();
    uow.signal(Signal::Anything);
    uow.commit().await.unwrap();
    assert_eq!(at_home.recv().await, Ok(log));
    assert_eq!(at_home.recv().await, Ok(Signal::Jobs));
    assert_eq!(at_home.recv().await, Ok(Signal::Anything));
    assert_eq!(abroad.recv().await, Ok(Signal::Anything));
}
