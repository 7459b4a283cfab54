//! What happens when the connections to the database break.

use std::{str::FromStr, time::Duration};

use sea_orm::sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};
use secrecy::ExposeSecret;
use windlass_domain::{
    Organization,
    test_util::{CountingEntropy, ManualClock},
};
use windlass_storage::{Signal, Store, StoreError};
use windlass_storage_seaorm::test_util::{TestStore, fresh_store};

/// Ends every session but its own, as a stopping server does.
async fn break_all_connections(store: &TestStore) {
    let options = PgConnectOptions::from_str(store.options().url.expose_secret());
    let admin = PgConnection::connect_with(&options.expect("a URL")).await;
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin.expect("the server is there").execute(sql).await.expect("sessions can be ended");
}

#[tokio::test]
async fn a_store_recovers_from_broken_connections_by_itself() {
    let store = fresh_store("recovery").await;
    if !store.is_postgres() {
        // A file has no connections that could break.
        return;
    }
    let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
    let mut heard = store.signals();
    let lost = Organization::create("Lost".parse().unwrap(), entropy.with(&clock));
    let mut uow = store.write().await.unwrap();
    uow.organizations().insert(&lost).await.unwrap();

    break_all_connections(&store).await;

    let failed = uow.commit().await;
    assert!(matches!(failed, Err(StoreError::Unreachable(_))), "{failed:?}");
    // What was signalled meanwhile is lost, and everybody is told so.
    assert_eq!(heard.recv().await, Ok(Signal::Anything));

    // As many as there may be broken connections.
    let found = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let mut uow = store.read().await.unwrap();
            match uow.organizations().find(lost.id).await {
                Ok(found) => break found,
                Err(err) => assert!(err.is_passing(), "{err:?}"),
            }
        }
    });
    assert_eq!(found.await.unwrap(), None);
    let mut uow = store.write().await.unwrap();
    uow.organizations().insert(&lost).await.unwrap();
    uow.signal(Signal::Jobs);
    uow.commit().await.unwrap();
    assert_eq!(heard.recv().await, Ok(Signal::Jobs));
}
