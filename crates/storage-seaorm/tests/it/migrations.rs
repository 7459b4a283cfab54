//! The schema's steps.

use windlass_domain::{
    Organization,
    test_util::{CountingEntropy, ManualClock},
};
use windlass_migrations::{Migrator, MigratorTrait};
use windlass_storage::Store;
use windlass_storage_seaorm::test_util::fresh_empty_store;

#[tokio::test]
async fn migrations_go_up_down_and_up_again() {
    let store = fresh_empty_store("up_down_up").await;
    let steps = Migrator::migrations().len();
    assert_eq!(store.pending_migrations().await.unwrap().len(), steps);

    store.migrate().await.unwrap();
    assert!(store.pending_migrations().await.unwrap().is_empty());
    for done in 1..=steps {
        store.migrate_down(1).await.unwrap();
        assert_eq!(store.pending_migrations().await.unwrap().len(), done);
    }
    store.migrate().await.unwrap();
    assert!(store.pending_migrations().await.unwrap().is_empty());

    let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
    let organization = Organization::create("Acme".parse().unwrap(), entropy.with(&clock));
    let mut uow = store.write().await.unwrap();
    uow.organizations().insert(&organization).await.unwrap();
    uow.commit().await.unwrap();
}

#[tokio::test]
async fn servers_that_start_together_migrate_one_after_another() {
    let store = fresh_empty_store("together").await;
    let (second, third) = (store.connect_again().await, store.connect_again().await);
    let (first, second, third) = tokio::join!(store.migrate(), second.migrate(), third.migrate());
    first.unwrap();
    second.unwrap();
    third.unwrap();
    assert!(store.pending_migrations().await.unwrap().is_empty());
}
