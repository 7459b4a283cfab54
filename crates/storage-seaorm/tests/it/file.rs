//! What is special about a database in a file.

use windlass_domain::{
    Organization,
    test_util::{CountingEntropy, ManualClock},
};
use windlass_storage::Store;
use windlass_storage_seaorm::{DatabaseOptions, SeaStore};

#[tokio::test]
async fn a_file_with_an_unusual_name_is_created_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("100% ours? #1.db");
    let options = DatabaseOptions::sqlite_file(&file).unwrap();
    let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
    let organization = Organization::create("Acme".parse().unwrap(), entropy.with(&clock));

    let store = SeaStore::connect(&options).await.unwrap();
    store.migrate().await.unwrap();
    let mut uow = store.write().await.unwrap();
    uow.organizations().insert(&organization).await.unwrap();
    uow.commit().await.unwrap();
    drop(store);

    assert!(file.exists());
    let store = SeaStore::connect(&options).await.unwrap();
    store.ping().await.unwrap();
    let found = store.read().await.unwrap().organizations().first_of_everyone().await.unwrap();
    assert_eq!(found, Some(organization));
}
