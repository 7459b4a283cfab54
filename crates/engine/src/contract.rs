//! What every engine must keep, as tests: the promises of [`Engine`](crate::Engine)'s documentation.
//!
//! A test binary gives [`engine_contract!`](crate::engine_contract) an expression that makes a
//! [`Harness`] and gets one test for each promise.

mod apps;
mod builds;
mod harness;
mod nodes;
mod support;
mod tasks;

pub use self::{
    apps::{
        an_app_answers_and_is_observed, an_app_needs_its_build,
        an_app_that_does_not_become_healthy_is_stopped_again, apps_stand_beside_each_other,
        changes_tell_of_every_start_and_stop, following_goes_on_until_the_app_has_ended,
        starting_again_joins, stopping_again_changes_nothing,
    },
    builds::{
        a_branch_is_resolved, a_build_ends_with_what_it_printed_and_used,
        a_build_goes_on_when_nobody_waits, a_build_that_fails_says_why,
        a_cancelled_build_reports_that, a_file_of_a_commit_is_read,
        a_forgotten_build_can_still_be_run, a_reader_goes_on_from_any_line, building_again_joins,
        cancelling_what_has_ended_or_never_began_changes_nothing, forgetting_ends_what_runs,
        removing_builds_leaves_running_ones_alone, removing_some_builds_keeps_the_others,
    },
    harness::{AppPlan, BuildPlan, Harness, Plan, Prepared, README, TaskPlan},
    nodes::{
        a_node_that_is_not_there_is_told_nothing, a_node_that_runs_apps_is_not_removed,
        an_app_is_on_one_node_for_each_replica, others_are_told_how_to_join_or_why_they_cannot,
        some_node_is_ready,
    },
    tasks::{
        a_cancelled_task_reports_that, a_forgotten_task_leaves_nothing,
        a_task_ends_with_what_it_printed, a_task_finds_what_was_built_and_the_variables,
        a_task_goes_on_when_nobody_waits, a_task_needs_its_build, a_task_that_fails_says_why,
        a_task_that_takes_too_long_is_ended, cancelling_a_task_that_does_not_run_changes_nothing,
        forgetting_a_task_ends_it, running_a_task_again_joins, what_a_task_runs_in_is_not_removed,
    },
};

/// Makes a test of each promise: `engine_contract!(MyHarness::new().await);`
#[macro_export]
macro_rules! engine_contract {
    ($harness:expr) => {
        $crate::engine_contract! {
            @each $harness;
            a_branch_is_resolved
            a_file_of_a_commit_is_read
            a_build_ends_with_what_it_printed_and_used
            a_build_that_fails_says_why
            building_again_joins
            a_reader_goes_on_from_any_line
            a_build_goes_on_when_nobody_waits
            a_cancelled_build_reports_that
            cancelling_what_has_ended_or_never_began_changes_nothing
            forgetting_ends_what_runs
            a_forgotten_build_can_still_be_run
            removing_some_builds_keeps_the_others
            removing_builds_leaves_running_ones_alone
            an_app_answers_and_is_observed
            an_app_needs_its_build
            an_app_that_does_not_become_healthy_is_stopped_again
            apps_stand_beside_each_other
            starting_again_joins
            stopping_again_changes_nothing
            following_goes_on_until_the_app_has_ended
            changes_tell_of_every_start_and_stop
            a_task_ends_with_what_it_printed
            a_task_that_fails_says_why
            a_task_needs_its_build
            a_task_finds_what_was_built_and_the_variables
            running_a_task_again_joins
            a_task_goes_on_when_nobody_waits
            a_task_that_takes_too_long_is_ended
            a_cancelled_task_reports_that
            cancelling_a_task_that_does_not_run_changes_nothing
            forgetting_a_task_ends_it
            a_forgotten_task_leaves_nothing
            what_a_task_runs_in_is_not_removed
            some_node_is_ready
            an_app_is_on_one_node_for_each_replica
            a_node_that_is_not_there_is_told_nothing
            a_node_that_runs_apps_is_not_removed
            others_are_told_how_to_join_or_why_they_cannot
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
