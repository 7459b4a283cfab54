//! What every back end has to keep: one function for each promise, each on a fresh store.
//!
//! A back end calls [`contract_tests!`](crate::contract_tests) once, in its tests, with a function
//! that makes a store: `async fn fresh_store(name: &str) -> impl Deref<Target: Store>`.
#![expect(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "the name of a promise says what it is, and who breaks it panics"
)]

pub mod account;
pub mod api_key;
pub mod audit;
pub mod build;
pub mod deployment;
pub mod env_var;
pub mod environment;
pub mod imported_format;
pub mod invitation;
pub mod job;
pub mod job_queue;
pub mod log;
pub mod login_code;
pub mod member;
pub mod once;
pub mod organization;
pub mod project;
pub mod session;
pub mod signal;
pub mod signing_key;
pub mod token;
pub mod unit_of_work;
pub mod usage;
pub mod webhook;
mod world;

/// Expands to one test for each promise.
#[macro_export]
macro_rules! contract_tests {
    ($fresh_store:path) => {
        $crate::contract_tests! { $fresh_store =>
            account: [
                an_account_is_found_by_its_address_and_has_the_last_password,
                a_persons_name_and_address_are_replaced,
                an_address_belongs_to_one_person,
                two_people_never_get_one_address,
                a_hash_of_a_password_is_replaced_where_the_old_one_still_is,
                the_last_setup_link_works_once_and_in_its_time,
                an_identity_elsewhere_belongs_to_one_person,
                a_password_and_identities_are_taken_from_one_person,
                whoever_locks_an_account_second_sees_what_the_first_wrote,
            ]
            api_key: [
                a_key_is_found_by_its_lookup,
                a_taken_lookup_is_reported_and_leaves_the_rest_usable,
                another_organization_never_finds_a_key,
                an_update_replaces_everything_but_the_last_use,
                a_hash_is_replaced_where_the_old_one_still_is,
                the_keys_of_one_person_in_one_organization_are_revoked_and_no_others,
                uses_are_noted_forwards_only,
                pages_of_keys_follow_one_another_without_gaps,
                whoever_locks_a_key_second_sees_what_the_first_wrote,
            ]
            audit: [
                a_line_survives_storage,
                another_organization_never_finds_a_line,
                pages_of_lines_follow_one_another_without_gaps,
                lines_are_found_by_actor_action_outcome_target_and_time,
                old_lines_go_and_the_others_stay,
            ]
            build: [
                a_build_survives_storage_in_every_state,
                a_number_is_taken_once_in_each_organization,
                another_organization_never_finds_a_build,
                whoever_locks_a_build_second_sees_what_the_first_wrote,
                builds_are_needed_as_long_as_they_may_run_again,
                the_time_of_builds_is_summed_from_when_they_ended,
                a_manifest_is_found_by_its_build_in_its_own_organization_alone,
            ]
            deployment: [
                a_deployment_survives_storage_in_every_state,
                another_organization_never_finds_a_deployment,
                pages_of_deployments_follow_one_another_without_gaps,
                unfinished_deployments_come_oldest_first,
                the_newest_deployment_of_each_environment_is_found,
                whoever_locks_a_deployment_second_sees_what_the_first_wrote,
                whoever_lists_unfinished_deployments_second_sees_what_the_first_wrote,
            ]
            env_var: [
                a_variable_survives_storage,
                a_name_is_taken_once_at_each_level,
                a_variable_is_found_at_exactly_its_level,
                an_environment_sees_its_own_and_its_projects_variables,
                another_organization_never_finds_a_variable,
                a_deleted_variable_is_gone,
                the_variables_of_one_environment_or_project_are_deleted_and_no_others,
                pages_of_variables_follow_one_another_without_gaps,
                whoever_locks_a_variable_second_sees_what_the_first_wrote,
            ]
            environment: [
                an_environment_survives_storage_in_every_state,
                a_taken_branch_or_host_is_named_and_leaves_the_rest_usable,
                what_a_destroyed_environment_had_is_free_again,
                a_destroyed_environment_is_found_but_not_listed,
                another_organization_never_finds_an_environment,
                pages_of_environments_follow_one_another_without_gaps,
                whoever_locks_an_environment_second_sees_what_the_first_wrote,
                a_host_that_is_about_to_be_taken_is_waited_for,
                the_environment_of_a_branch_or_at_an_address_is_found_while_it_is_there,
                previews_are_counted_and_listed_with_how_long_they_last,
                visits_are_noted_forwards_only_and_no_update_takes_them_back,
            ]
            imported_format: [
                a_prefix_has_one_format_the_last_that_was_put,
                whoever_imports_second_sees_what_the_first_wrote,
                keys_are_found_by_their_first_characters_whoever_they_belong_to,
            ]
            invitation: [
                an_invitation_survives_storage_in_every_state,
                another_organization_never_finds_an_invitation,
                pages_of_invitations_follow_one_another_without_gaps,
                one_invitation_waits_for_an_address_in_each_organization,
                what_waits_by_or_for_a_person_is_revoked_and_nothing_else,
                whoever_accepts_an_invitation_second_sees_that_it_was_accepted,
            ]
            job: [
                a_job_survives_storage_in_every_state,
                a_lost_lease_finds_nothing,
                unfinished_jobs_of_a_lane_come_oldest_first,
                leases_of_one_worker_expire_at_its_start,
                depth_counts_what_waits,
                the_next_due_time_is_the_earliest_that_is_still_to_come,
                pruning_keeps_what_people_should_see,
                whoever_locks_a_job_second_sees_what_the_first_wrote,
            ]
            job_queue: [
                the_oldest_due_job_comes_first,
                a_job_is_not_leased_before_it_is_due_by_a_fraction_of_a_second,
                an_expired_lease_is_taken_over_with_a_higher_fence,
                an_expired_lease_is_taken_over_after_the_last_attempt_too,
                a_lane_runs_one_job_after_another,
                an_organization_gets_no_more_than_its_slots,
                expired_leases_beyond_the_slots_are_still_taken_over,
                the_organization_with_the_fewest_leased_jobs_comes_first,
                two_workers_never_lease_the_same_job,
                two_workers_never_lease_the_same_lane,
                two_workers_never_lease_more_than_the_slots,
                a_job_that_is_being_cancelled_is_not_leased,
                many_workers_share_the_jobs_out,
            ]
            log: [
                a_log_that_nobody_wrote_to_is_empty_and_open,
                lines_are_numbered_from_one_and_read_back,
                a_repeated_append_of_a_source_is_refused,
                an_append_that_would_leave_a_gap_in_a_source_is_refused,
                a_source_may_move_on_without_lines,
                sources_of_one_log_are_told_apart,
                nothing_comes_after_the_end,
                trimming_keeps_the_newest_lines_and_the_numbering,
                a_large_batch_is_kept_whole,
                an_append_that_is_not_committed_leaves_nothing,
                concurrent_appends_leave_no_gaps,
            ]
            login_code: [
                a_code_survives_storage,
                of_two_who_use_a_code_at_once_one_gets_it,
                the_codes_of_one_person_are_removed_and_no_others,
                codes_go_when_they_have_expired,
            ]
            member: [
                a_member_is_found_in_their_own_organization_alone,
                pages_of_members_follow_one_another_without_gaps,
                a_person_finds_all_their_organizations_and_no_others,
                a_role_changes_and_a_member_goes_in_one_organization_alone,
                owners_are_counted_in_one_organization_alone,
                of_two_owners_who_leave_at_once_the_second_sees_that_they_are_the_last,
                a_member_who_is_removed_takes_along_what_they_were_making,
                somebody_who_is_being_removed_makes_nothing_any_more,
            ]
            once: [
                a_request_is_known_again_by_all_of_its_key,
                a_request_is_added_once_and_leaves_the_rest_usable,
                a_request_that_is_about_to_be_added_is_waited_for,
                whoever_locks_a_request_second_sees_what_the_first_wrote,
                requests_go_when_they_are_old,
            ]
            organization: [
                the_first_organization_is_the_oldest,
                people_and_their_roles_are_found_again,
                a_persons_places_are_listed_oldest_organization_first,
                a_membership_is_added_once_and_leaves_the_rest_usable,
                the_first_owner_is_the_oldest,
                an_organization_is_renamed_and_goes_on_counting,
                build_numbers_count_from_one_in_each_organization,
                whoever_takes_a_build_number_second_gets_the_next,
            ]
            project: [
                a_project_survives_storage_in_every_state,
                a_taken_slug_is_reported_and_leaves_the_rest_usable,
                a_deleted_project_is_found_by_nobody_and_its_slug_is_free,
                another_organization_never_finds_a_project,
                pages_of_projects_follow_one_another_without_gaps,
                a_list_can_be_limited_to_some_projects,
                projects_hold_what_their_present_environments_may_use,
                whoever_locks_a_project_second_sees_what_the_first_wrote,
                a_slug_that_is_about_to_be_taken_is_waited_for,
                projects_of_a_repository_are_found_whoever_they_belong_to,
            ]
            session: [
                a_session_survives_storage,
                a_person_lists_and_ends_their_own_sessions_only,
                looks_are_noted_forwards_only,
                sessions_go_when_they_are_over_or_unused,
            ]
            signal: [
                a_signal_is_heard_once_its_unit_of_work_commits,
                a_signal_of_a_dropped_unit_of_work_is_never_heard,
                a_repeated_signal_is_heard_once,
            ]
            signing_key: [
                keys_of_a_purpose_are_listed_by_number,
                a_number_is_given_once_and_the_rest_stays_usable,
            ]
            token: [
                a_token_survives_storage,
                another_organization_never_finds_a_token,
                pages_of_tokens_follow_one_another_without_gaps,
                a_block_is_revoked_for_its_token_alone,
                the_tokens_of_one_person_in_one_organization_are_revoked_and_no_others,
                links_go_when_they_have_ended_and_tokens_stay,
                whoever_locks_a_token_second_sees_what_the_first_wrote,
            ]
            unit_of_work: [
                a_dropped_unit_of_work_leaves_nothing,
                a_unit_of_work_sees_its_own_writes_and_others_do_not,
                a_unit_of_work_that_only_reads_cannot_write,
                a_commit_that_succeeds_has_kept_everything_before_it,
                what_waits_for_the_commit_is_done_once_it_has_succeeded,
                readers_do_not_wait_for_writers,
                writers_all_get_their_turn,
                a_writer_that_stops_waiting_holds_nobody_up,
            ]
            usage: [
                a_build_is_entered_once,
                totals_tell_what_is_billed_from_what_is_not,
                totals_are_limited_to_a_period,
                totals_are_limited_to_projects_and_never_cross_organizations,
            ]
            webhook: [
                a_delivery_survives_storage_with_every_wish_and_outcome,
                a_delivery_is_added_once_by_identifier_and_by_digest,
                of_two_who_add_a_delivery_at_once_one_does,
                what_waits_for_a_branch_is_found_oldest_first,
                old_deliveries_go_and_the_others_stay,
                another_organization_never_finds_a_delivery_or_a_secret,
                secrets_are_good_until_they_end,
            ]
        }
    };
    ($fresh_store:path => $($subject:ident: [$($promise:ident,)*])*) => {
        $(
            mod $subject {
                $(
                    #[tokio::test]
                    async fn $promise() {
                        let store = $fresh_store(stringify!($promise)).await;
                        $crate::contract::$subject::$promise(&*store).await;
                    }
                )*
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    const LIST: &str = include_str!("contract.rs");
    const PROMISES: [&str; 23] = [
        include_str!("contract/account.rs"),
        include_str!("contract/api_key.rs"),
        include_str!("contract/audit.rs"),
        include_str!("contract/build.rs"),
        include_str!("contract/deployment.rs"),
        include_str!("contract/env_var.rs"),
        include_str!("contract/environment.rs"),
        include_str!("contract/imported_format.rs"),
        include_str!("contract/invitation.rs"),
        include_str!("contract/job.rs"),
        include_str!("contract/job_queue.rs"),
        include_str!("contract/log.rs"),
        include_str!("contract/login_code.rs"),
        include_str!("contract/member.rs"),
        include_str!("contract/once.rs"),
        include_str!("contract/organization.rs"),
        include_str!("contract/project.rs"),
        include_str!("contract/session.rs"),
        include_str!("contract/signal.rs"),
        include_str!("contract/signing_key.rs"),
        include_str!("contract/token.rs"),
        include_str!("contract/unit_of_work.rs"),
        include_str!("contract/usage.rs"),
    ];

    #[test]
    fn no_promise_is_missing_in_the_list() {
        let names = PROMISES.iter().flat_map(|file| file.split("\npub async fn ").skip(1));
        for name in names.filter_map(|rest| rest.split('(').next()) {
            assert!(LIST.contains(&format!("{name},\n")), "{name} is not in contract_tests!");
        }
    }
}
