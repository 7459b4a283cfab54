//! Requests that are carried out once, over several servers.

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use windlass_control::{Attempt, Begun, Control, ControlError, Once};
use windlass_storage::{OnceKey, Store as _};

use crate::support::{Keys, Platform};

fn once(fingerprint: &str) -> Once {
    let at_most = Duration::from_secs(40);
    Once { key: "a".to_owned(), fingerprint: fingerprint.to_owned(), at_most }
}

async fn begin(platform: &Platform, control: &Control) -> Result<Begun, ControlError> {
    control.begin_once(&platform.owner, once("same")).await
}

fn first(begun: Result<Begun, ControlError>) -> Attempt {
    match begun.unwrap() {
        Begun::First(attempt) => attempt,
        Begun::Done(_) => panic!("it was done already"),
    }
}

fn is_in_progress(begun: &Result<Begun, ControlError>) -> bool {
    matches!(begun, Err(ControlError::Conflict { code: "in_progress", .. }))
}

/// Has the lease run out, as if time had passed.
async fn let_lease_end(platform: &Platform) {
    let key = OnceKey {
        organization_id: platform.owner.organization(),
        user_id: platform.owner.principal.user_id,
        operation: platform.owner.occasion.action.to_string(),
        key: "a".to_owned(),
    };
    let mut uow = platform.store.write().await.unwrap();
    let mut record = uow.once().find_for_update(&key).await.unwrap().unwrap();
    record.leased_until -= TimeDelta::hours(1);
    uow.once().update(&record).await.unwrap();
    uow.commit().await.unwrap();
}

#[tokio::test]
async fn of_two_servers_one_carries_a_request_out_and_both_tell_what_it_came_to() {
    let platform = Platform::new("once_servers").await;
    let (here, _here) = platform.replica("here", Keys::default()).await;
    let (there, _there) = platform.replica("there", Keys::default()).await;
    let (one, other) = tokio::join!(begin(&platform, &here), begin(&platform, &there));
    let (won, lost) = if one.is_ok() { (one, other) } else { (other, one) };
    assert!(is_in_progress(&lost), "{lost:?}");

    here.end_once(first(won), Some(&"the answer".into())).await.unwrap();

    for control in [&here, &there] {
        let again = begin(&platform, control).await.unwrap();
        assert!(matches!(&again, Begun::Done(answer) if answer.expose_secret() == "the answer"));
        let other = control.begin_once(&platform.owner, once("other")).await;
        assert!(matches!(other, Err(ControlError::Invalid { .. })), "{other:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_killed_keeps_a_request_no_longer_than_its_lease() {
    let platform = Platform::new("once_lease").await;
    let control = &platform.control;
    let slow = first(begin(&platform, control).await);
    assert!(is_in_progress(&begin(&platform, control).await));

    let_lease_end(&platform).await;
    let second = first(begin(&platform, control).await);
    assert!(is_in_progress(&begin(&platform, control).await));
    // It was only slow: it must not leave its answer in the other's place, nor its failure.
    control.end_once(slow, None).await.unwrap();
    assert!(is_in_progress(&begin(&platform, control).await));

    control.end_once(second, Some(&"the second's".into())).await.unwrap();
    let again = begin(&platform, control).await.unwrap();
    assert!(matches!(&again, Begun::Done(answer) if answer.expose_secret() == "the second's"));
}

#[tokio::test]
async fn what_came_to_nothing_can_be_tried_again_at_once() {
    let platform = Platform::new("once_failed").await;
    let control = &platform.control;
    let failed = first(begin(&platform, control).await);
    control.end_once(failed, None).await.unwrap();
    first(control.begin_once(&platform.owner, once("put right")).await).end(control).await;
}

trait End {
    async fn end(self, control: &Control);
}

impl End for Attempt {
    async fn end(self, control: &Control) {
        control.end_once(self, None).await.unwrap();
    }
}
