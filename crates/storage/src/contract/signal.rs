//! Promises about hints.

use tokio::sync::broadcast::error::TryRecvError;
use windlass_domain::{Id, LogId};

use super::world::World;
use crate::{Signal, Store};

pub async fn a_signal_is_heard_once_its_unit_of_work_commits(store: &dyn Store) {
    let world = World::new(store);
    let mut heard = store.signals();
    let mut uow = world.write().await;
    let log = Signal::Log(LogId::Build(Id::generate(world.fx())));
    uow.signal(Signal::Jobs);
    uow.signal(log);
    assert_eq!(heard.try_recv(), Err(TryRecvError::Empty));
    uow.commit().await.unwrap();

    assert_eq!(heard.recv().await, Ok(Signal::Jobs));
    assert_eq!(heard.recv().await, Ok(log));
}

pub async fn a_signal_of_a_dropped_unit_of_work_is_never_heard(store: &dyn Store) {
    let world = World::new(store);
    let mut heard = store.signals();
    let mut dropped = world.write().await;
    dropped.signal(Signal::Anything);
    drop(dropped);

    let mut kept = world.write().await;
    kept.signal(Signal::Jobs);
    kept.commit().await.unwrap();
    assert_eq!(heard.recv().await, Ok(Signal::Jobs));
}

pub async fn a_repeated_signal_is_heard_once(store: &dyn Store) {
    let world = World::new(store);
    let mut heard = store.signals();
    for signals in [[Signal::Jobs, Signal::Jobs], [Signal::Anything, Signal::Anything]] {
        let mut uow = world.write().await;
        for signal in signals {
            uow.signal(signal);
        }
        uow.commit().await.unwrap();
    }
    assert_eq!(heard.recv().await, Ok(Signal::Jobs));
    assert_eq!(heard.recv().await, Ok(Signal::Anything));
}
