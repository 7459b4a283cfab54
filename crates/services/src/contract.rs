//! What every provider must keep, as tests: the promises of
//! [`BackingServices`](crate::BackingServices)'s documentation.
//!
//! A test binary gives [`services_contract!`](crate::services_contract) an expression that makes a
//! [`Harness`] and gets one test for each promise.

mod dumps;
mod harness;
mod isolation;
mod lives;
mod support;

pub use self::{
    dumps::{
        a_dump_can_be_read_into_another_environment, a_dump_is_read_back,
        a_text_that_is_no_dump_changes_nothing, without_a_database_there_is_nothing_to_dump,
    },
    harness::{Harness, Kind},
    isolation::{
        a_wrong_secret_opens_nothing, an_environment_cannot_reach_another,
        environments_have_data_of_their_own,
    },
    lives::{
        a_call_that_is_cut_off_can_be_repeated, calls_at_once_agree, data_survives_a_rest,
        one_of_two_can_be_removed, one_of_two_can_rest, providing_again_changes_nothing,
        removing_leaves_nothing, resetting_empties, resetting_what_rests_empties,
        what_is_not_asked_for_is_not_given, what_is_not_there_can_be_ended,
        what_is_provided_answers, what_is_removed_in_the_middle_is_removed_again,
        what_rests_does_not_answer,
    },
};

/// Makes a test of each promise: `services_contract!(MyHarness::new().await);`
#[macro_export]
macro_rules! services_contract {
    ($harness:expr) => {
        $crate::services_contract! {
            @each $harness;
            what_is_provided_answers
            what_is_not_asked_for_is_not_given
            providing_again_changes_nothing
            calls_at_once_agree
            data_survives_a_rest
            what_rests_does_not_answer
            one_of_two_can_rest
            resetting_empties
            resetting_what_rests_empties
            removing_leaves_nothing
            one_of_two_can_be_removed
            what_is_not_there_can_be_ended
            a_call_that_is_cut_off_can_be_repeated
            what_is_removed_in_the_middle_is_removed_again
            environments_have_data_of_their_own
            an_environment_cannot_reach_another
            a_wrong_secret_opens_nothing
            a_dump_is_read_back
            a_dump_can_be_read_into_another_environment
            a_text_that_is_no_dump_changes_nothing
            without_a_database_there_is_nothing_to_dump
        }
    };
    (@each $harness:expr; $($promise:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                $crate::contract::$promise(&$harness).await;
            }
        )*
    };
}
