//! What a provider promises about dumps. Without a database there is nothing to promise.
#![expect(clippy::missing_panics_doc, reason = "a broken promise is a panic")]

use super::{
    Harness, Kind,
    support::{a_neighbour, a_place, all, done, fail, patiently, provide},
};
use crate::{Place, ServiceError, Variable};

/// What was dumped is there again, what came later is gone, and all of it can still be changed.
pub async fn a_dump_is_read_back(harness: &dyn Harness) {
    let Some((place, at)) = with_a_database(harness).await else { return };
    put(harness, &at, "old", "one").await;
    let dump = dumped(harness, place).await;
    put(harness, &at, "old", "two").await;
    put(harness, &at, "new", "three").await;
    done(harness.services().restore(place, &mut dump.as_slice())).await;
    assert_eq!(get(harness, &at, "old").await.as_deref(), Some("one"));
    assert_eq!(get(harness, &at, "new").await, None);
    put(harness, &at, "old", "four").await;
    assert_eq!(get(harness, &at, "old").await.as_deref(), Some("four"));
}

/// One environment's data can be tried in another, also while both rest.
pub async fn a_dump_can_be_read_into_another_environment(harness: &dyn Harness) {
    let services = harness.services();
    let Some((place, at)) = with_a_database(harness).await else { return };
    let neighbour = a_neighbour(place);
    provide(harness, neighbour, all(harness)).await;
    put(harness, &at, "name", "value").await;
    done(services.rest(place)).await;
    done(services.rest(neighbour)).await;
    let dump = dumped(harness, place).await;
    done(services.restore(neighbour, &mut dump.as_slice())).await;
    let refused = patiently(harness.get(Kind::Postgres, &at, "name")).await;
    assert!(refused.is_err(), "what rests goes on resting");
    let next = provide(harness, neighbour, all(harness)).await;
    assert_eq!(get(harness, &next, "name").await.as_deref(), Some("value"));
    put(harness, &next, "name", "other").await;
    let at = provide(harness, place, all(harness)).await;
    assert_eq!(get(harness, &at, "name").await.as_deref(), Some("value"));
}

/// A restore that fails changes nothing.
pub async fn a_text_that_is_no_dump_changes_nothing(harness: &dyn Harness) {
    let Some((place, at)) = with_a_database(harness).await else { return };
    put(harness, &at, "name", "value").await;
    let dump = dumped(harness, place).await;
    let half = dump.get(..dump.len() / 2).expect("it is shorter");
    for bad in [b"drop table values;".as_slice(), b"", half] {
        let refusal = patiently(harness.services().restore(place, &mut &*bad)).await;
        assert!(matches!(refusal, Err(ServiceError::Refused(_))), "{refusal:?}");
        assert_eq!(get(harness, &at, "name").await.as_deref(), Some("value"));
    }
}

/// An environment that has no database is told so.
pub async fn without_a_database_there_is_nothing_to_dump(harness: &dyn Harness) {
    let (services, place) = (harness.services(), a_place());
    let dump = patiently(services.dump(place, &mut Vec::new())).await;
    assert!(matches!(dump, Err(ServiceError::Refused(_))), "{dump:?}");
    let restore = patiently(services.restore(place, &mut b"".as_slice())).await;
    assert!(matches!(restore, Err(ServiceError::Refused(_))), "{restore:?}");
    assert_eq!(patiently(services.places()).await.ok(), Some(vec![]));
}

async fn with_a_database(harness: &dyn Harness) -> Option<(Place, Vec<Variable>)> {
    if !harness.kinds().contains(&Kind::Postgres) {
        return None;
    }
    let place = a_place();
    Some((place, provide(harness, place, all(harness)).await))
}

async fn dumped(harness: &dyn Harness, place: Place) -> Vec<u8> {
    let mut dump = Vec::new();
    let bytes = patiently(harness.services().dump(place, &mut dump)).await;
    assert_eq!(bytes.unwrap_or_else(|error| fail(&error)), dump.len() as u64);
    assert!(dump.starts_with(b"PGDMP"), "it is of the custom format");
    dump
}

async fn put(harness: &dyn Harness, at: &[Variable], name: &str, value: &str) {
    patiently(harness.put(Kind::Postgres, at, name, value)).await.expect("the database answers");
}

async fn get(harness: &dyn Harness, at: &[Variable], name: &str) -> Option<String> {
    patiently(harness.get(Kind::Postgres, at, name)).await.expect("the database answers")
}
