//! What a provider promises about the lives of services.
#![expect(clippy::missing_panics_doc, reason = "a broken promise is a panic")]

use std::time::Duration;

use tokio::time::timeout;
use windlass_domain::Services;

use super::{
    Harness,
    support::{
        a_neighbour, a_place, all, done, expect, expect_closed, patiently, provide, put, texts,
    },
};

/// When calls are cut off: before anything, and in the middle of each of its steps.
const CUTS: [u64; 8] = [0, 1, 20, 100, 300, 700, 1_100, 1_600];

/// What was provided can be used, and is listed.
pub async fn what_is_provided_answers(harness: &dyn Harness) {
    let (services, place) = (harness.services(), a_place());
    done(services.check(all(harness))).await;
    assert_eq!(patiently(services.places()).await.ok(), Some(vec![]));
    let at = provide(harness, place, all(harness)).await;
    put(harness, &at, "name", "value").await;
    expect(harness, &at, "name", Some("value")).await;
    assert_eq!(patiently(services.places()).await.ok(), Some(vec![place]));
}

/// An environment gets the variables of what it wants, and no others.
pub async fn what_is_not_asked_for_is_not_given(harness: &dyn Harness) {
    let place = a_place();
    assert!(provide(harness, place, Services::default()).await.is_empty());
    for kind in harness.kinds() {
        let at = provide(harness, place, kind.alone()).await;
        let names: Vec<&str> = texts(&at).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, kind.variables());
    }
}

/// Whatever runs is left as it is.
pub async fn providing_again_changes_nothing(harness: &dyn Harness) {
    let place = a_place();
    let first = provide(harness, place, all(harness)).await;
    put(harness, &first, "name", "value").await;
    let again = provide(harness, place, all(harness)).await;
    assert_eq!(texts(&again), texts(&first));
    expect(harness, &first, "name", Some("value")).await;
}

/// Two who ask at the same time get the same.
pub async fn calls_at_once_agree(harness: &dyn Harness) {
    let place = a_place();
    let other = a_neighbour(place);
    let (one, two, three) = tokio::join!(
        provide(harness, place, all(harness)),
        provide(harness, place, all(harness)),
        provide(harness, other, all(harness)),
    );
    assert_eq!(texts(&one), texts(&two));
    put(harness, &one, "name", "value").await;
    expect(harness, &three, "name", None).await;
}

/// Resting keeps everything, and resting again changes nothing.
pub async fn data_survives_a_rest(harness: &dyn Harness) {
    let (services, place) = (harness.services(), a_place());
    let first = provide(harness, place, all(harness)).await;
    put(harness, &first, "name", "value").await;
    done(services.rest(place)).await;
    done(services.rest(place)).await;
    assert_eq!(patiently(services.places()).await.ok(), Some(vec![place]));
    let again = provide(harness, place, all(harness)).await;
    expect(harness, &again, "name", Some("value")).await;
}

/// With the last active environment of a project, nothing of it runs.
pub async fn what_rests_does_not_answer(harness: &dyn Harness) {
    let place = a_place();
    let at = provide(harness, place, all(harness)).await;
    done(harness.services().rest(place)).await;
    for kind in harness.kinds() {
        expect_closed(harness, kind, &at).await;
    }
}

/// An environment that rests does not disturb the other one.
pub async fn one_of_two_can_rest(harness: &dyn Harness) {
    let place = a_place();
    let neighbour = a_neighbour(place);
    let at = provide(harness, place, all(harness)).await;
    let next = provide(harness, neighbour, all(harness)).await;
    put(harness, &next, "name", "value").await;
    done(harness.services().rest(place)).await;
    expect(harness, &next, "name", Some("value")).await;
    provide(harness, place, all(harness)).await;
    expect(harness, &at, "name", None).await;
}

/// After a reset everything is empty, and reached as before.
pub async fn resetting_empties(harness: &dyn Harness) {
    let place = a_place();
    let neighbour = a_neighbour(place);
    let at = provide(harness, place, all(harness)).await;
    let next = provide(harness, neighbour, all(harness)).await;
    put(harness, &at, "name", "value").await;
    put(harness, &next, "name", "other").await;
    done(harness.services().reset(place)).await;
    done(harness.services().reset(place)).await;
    expect(harness, &at, "name", None).await;
    put(harness, &at, "name", "new").await;
    expect(harness, &next, "name", Some("other")).await;
}

/// What rests is reset, too, and goes on resting.
pub async fn resetting_what_rests_empties(harness: &dyn Harness) {
    let (services, place) = (harness.services(), a_place());
    let at = provide(harness, place, all(harness)).await;
    put(harness, &at, "name", "value").await;
    done(services.rest(place)).await;
    done(services.reset(place)).await;
    for kind in harness.kinds() {
        expect_closed(harness, kind, &at).await;
    }
    let at = provide(harness, place, all(harness)).await;
    expect(harness, &at, "name", None).await;
}

/// What was removed is not listed, does not answer, and does not come back.
pub async fn removing_leaves_nothing(harness: &dyn Harness) {
    let (services, place) = (harness.services(), a_place());
    let at = provide(harness, place, all(harness)).await;
    put(harness, &at, "name", "value").await;
    done(services.remove(place)).await;
    done(services.remove(place)).await;
    assert_eq!(patiently(services.places()).await.ok(), Some(vec![]));
    for kind in harness.kinds() {
        expect_closed(harness, kind, &at).await;
    }
    let at = provide(harness, place, all(harness)).await;
    expect(harness, &at, "name", None).await;
}

/// Removing one environment leaves the other alone, also while that one rests.
pub async fn one_of_two_can_be_removed(harness: &dyn Harness) {
    let (services, place) = (harness.services(), a_place());
    let neighbour = a_neighbour(place);
    provide(harness, place, all(harness)).await;
    let next = provide(harness, neighbour, all(harness)).await;
    put(harness, &next, "name", "value").await;
    done(services.remove(place)).await;
    expect(harness, &next, "name", Some("value")).await;
    provide(harness, place, all(harness)).await;
    done(services.rest(place)).await;
    done(services.rest(neighbour)).await;
    done(services.remove(place)).await;
    assert_eq!(patiently(services.places()).await.ok(), Some(vec![neighbour]));
    for kind in harness.kinds() {
        expect_closed(harness, kind, &next).await;
    }
    let next = provide(harness, neighbour, all(harness)).await;
    expect(harness, &next, "name", Some("value")).await;
}

/// Where there is nothing, nothing is to be ended.
pub async fn what_is_not_there_can_be_ended(harness: &dyn Harness) {
    let (services, place) = (harness.services(), a_place());
    done(services.rest(place)).await;
    done(services.reset(place)).await;
    done(services.remove(place)).await;
    assert_eq!(patiently(services.places()).await.ok(), Some(vec![]));
}

/// Whatever a call left half-done, the next one completes.
pub async fn a_call_that_is_cut_off_can_be_repeated(harness: &dyn Harness) {
    let (services, place) = (harness.services(), a_place());
    for cut in CUTS {
        let _ = timeout(Duration::from_millis(cut), services.provide(place, all(harness))).await;
    }
    let at = provide(harness, place, all(harness)).await;
    put(harness, &at, "name", "value").await;
    for cut in CUTS {
        let _ = timeout(Duration::from_millis(cut), services.rest(place)).await;
        let _ = timeout(Duration::from_millis(cut), services.provide(place, all(harness))).await;
    }
    let at = provide(harness, place, all(harness)).await;
    expect(harness, &at, "name", Some("value")).await;
    for cut in CUTS {
        let _ = timeout(Duration::from_millis(cut), services.reset(place)).await;
    }
    done(services.reset(place)).await;
    expect(harness, &at, "name", None).await;
}

/// What was half removed can be removed, or provided as new.
pub async fn what_is_removed_in_the_middle_is_removed_again(harness: &dyn Harness) {
    let (services, place) = (harness.services(), a_place());
    let neighbour = a_neighbour(place);
    let next = provide(harness, neighbour, all(harness)).await;
    put(harness, &next, "name", "value").await;
    for cut in CUTS {
        provide(harness, place, all(harness)).await;
        let _ = timeout(Duration::from_millis(cut), services.remove(place)).await;
    }
    done(services.remove(place)).await;
    expect(harness, &next, "name", Some("value")).await;
    for cut in CUTS {
        let _ = timeout(Duration::from_millis(cut), services.remove(neighbour)).await;
    }
    done(services.remove(neighbour)).await;
    assert_eq!(patiently(services.places()).await.ok(), Some(vec![]));
    let next = provide(harness, neighbour, all(harness)).await;
    expect(harness, &next, "name", None).await;
}
