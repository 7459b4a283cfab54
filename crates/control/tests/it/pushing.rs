//! What a forge tells is deployed or taken down: once, and as far as the project allows it.

use chrono::TimeDelta;
use windlass_control::{
    AuditFilter, ControlError, Expected, Plans, Settings, destroy_environment, list_audit_log,
    list_environments, list_webhook_deliveries, redeliver_webhook, rotate_webhook_secret,
};
use windlass_domain::{
    Amounts, DeploymentState, Environment, EnvironmentKind, EnvironmentState, PageRequest,
    PlanName, Previews, Project, ProjectSettings, Trigger, WebhookDelivery, WebhookOutcome,
};
use windlass_engine::fake::{BuildScript, Gate};

use crate::{
    forge::{GitHub, why},
    support::{Platform, settings},
};

async fn environments(platform: &Platform, project: &Project) -> Vec<Environment> {
    let (control, owner) = (&platform.control, &platform.owner);
    let page = list_environments(control, owner, project.id, PageRequest::default()).await;
    page.unwrap().items.into_iter().map(|detail| detail.environment).collect()
}

async fn deliveries(platform: &Platform, project: &Project) -> Vec<WebhookDelivery> {
    let (control, owner) = (&platform.control, &platform.owner);
    let page = list_webhook_deliveries(control, owner, project.id, PageRequest::default()).await;
    page.unwrap().items
}

fn deployed(delivery: &WebhookDelivery) -> windlass_domain::DeploymentId {
    let WebhookOutcome::Deployed { deployment_id, .. } = delivery.outcome else {
        panic!("{delivery:?}")
    };
    deployment_id
}

fn with_previews(previews: Previews) -> ProjectSettings {
    ProjectSettings { previews, ..ProjectSettings::default() }
}

#[tokio::test]
async fn a_push_deploys_the_branch_and_makes_its_environment_first() {
    let platform = Platform::new("push_first").await;
    let project = platform.project("Shop").await;
    let github = GitHub::of(&platform, &project).await;
    let _server = platform.serve("one");

    let commit = platform.push_to("feature/login", 'a');
    let told = github.tell(&platform, &github.push("feature/login", &commit)).await;
    let deployment = platform.settled(deployed(&told)).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    assert_eq!(deployment.trigger, Trigger::Push);
    assert_eq!(deployment.requested_by, "GitHub webhook");
    assert_eq!(deployment.commit, Some(commit));
    let preview = platform.environment_now(deployment.environment_id).await;
    assert_eq!(preview.kind, EnvironmentKind::Preview);

    let commit = platform.push('b');
    let told = github.tell(&platform, &github.push("main", &commit)).await;
    let deployment = platform.settled(deployed(&told)).await;
    let main = platform.environment_now(deployment.environment_id).await;
    assert_eq!(main.kind, EnvironmentKind::Persistent);

    let commit = platform.push_to("feature/login", 'c');
    let told = github.tell(&platform, &github.push("feature/login", &commit)).await;
    let again = platform.settled(deployed(&told)).await;
    assert_eq!((again.environment_id, again.commit), (preview.id, Some(commit)));
    assert_eq!(environments(&platform, &project).await.len(), 2);
}

#[tokio::test]
async fn a_message_counts_once_however_often_and_under_whatever_name_it_comes() {
    let platform = Platform::new("push_once").await;
    let project = platform.project("Shop").await;
    let github = GitHub::of(&platform, &project).await;
    let commit = platform.push('a');
    let push = github.push("main", &commit);
    let told = github.tell(&platform, &push).await;
    for replay in [push.clone(), push.as_another("a-name-that-nobody-signs")] {
        let receipts = github.send(&platform.control, &replay).await.unwrap();
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0].delivery, None);
    }
    assert_eq!(deliveries(&platform, &project).await, [told]);
}

#[tokio::test]
async fn nobody_is_heard_who_does_not_know_the_secret() {
    let platform = Platform::new("push_forged").await;
    let (shop, blog) = (platform.project("Shop").await, platform.project("Blog").await);
    let (of_shop, of_blog) =
        (GitHub::of(&platform, &shop).await, GitHub::of(&platform, &blog).await);
    let commit = platform.push('a');
    let stranger = GitHub::knowing("guessed".into());
    let forged = stranger.send(&platform.control, &stranger.push("main", &commit)).await;
    assert!(matches!(forged, Err(ControlError::NotProven)), "{forged:?}");

    // Both are of one repository, and each hears what is signed with its own secret.
    let told = of_shop.tell(&platform, &of_shop.push("main", &commit)).await;
    assert_eq!(told.project_id, shop.id);
    let told = of_blog.tell(&platform, &of_blog.push("main", &commit)).await;
    assert_eq!(told.project_id, blog.id);
}

#[tokio::test]
async fn an_old_secret_is_good_for_as_long_as_was_said() {
    let platform = Platform::new("push_secrets").await;
    let project = platform.project("Shop").await;
    let old = GitHub::of(&platform, &project).await;
    let (control, owner) = (&platform.control, &platform.owner);
    let overlap = TimeDelta::hours(1);
    let made = rotate_webhook_secret(control, owner, project.id, overlap).await.unwrap();
    let new = GitHub::knowing(made.secret);
    let commit = platform.push('a');
    for github in [&old, &new] {
        github.send(control, &github.push("main", &commit)).await.unwrap();
    }
    rotate_webhook_secret(control, owner, project.id, TimeDelta::zero()).await.unwrap();
    for github in [&old, &new] {
        let refused = github.send(control, &github.push("main", &commit)).await;
        assert!(matches!(refused, Err(ControlError::NotProven)), "{refused:?}");
    }
}

#[tokio::test]
async fn only_branches_that_are_meant_get_a_preview_and_only_so_many_at_once() {
    let platform = Platform::new("push_patterns").await;
    let previews =
        Previews { branches: vec!["feature/*".parse().unwrap()], limit: 1, ..Previews::default() };
    let project = platform.project_with("Shop", with_previews(previews)).await;
    let github = GitHub::of(&platform, &project).await;
    let commit = platform.push_to("feature/a", 'a');

    let other = github.tell(&platform, &github.push("fix", &commit)).await;
    assert_eq!(why(&other), "the project's previews don't take this branch");
    let first = github.tell(&platform, &github.push("feature/a", &commit)).await;
    deployed(&first);
    let second = github.tell(&platform, &github.push("feature/b", &commit)).await;
    assert_eq!(why(&second), "the project has 1 previews, and may have 1");
    assert_eq!(second.outcome.name(), "refused");
    // What is there already is deployed to.
    deployed(&github.tell(&platform, &github.push("feature/a", &commit)).await);
    assert_eq!(environments(&platform, &project).await.len(), 1);
}

#[tokio::test]
async fn what_the_plan_forbids_changes_nothing_and_can_be_done_once_there_is_room() {
    let platform = Platform::new("push_quota").await;
    let project = platform.project("Shop").await;
    let github = GitHub::of(&platform, &project).await;
    let name: PlanName = "small".parse().unwrap();
    let limits = Amounts { environments: 1, ..Amounts::UNLIMITED };
    let plans = Plans::new(name.clone(), [(name, limits)].into()).unwrap();
    let limited = platform.another_with("one", Settings { plans, ..settings() });
    let commit = platform.push('a');
    let (main, _) = platform.environment(&project).await;

    let receipts = github.send(&limited, &github.push("dev", &commit)).await.unwrap();
    let refused = receipts[0].delivery.clone().unwrap();
    assert!(why(&refused).contains("allows 1 environment"), "{refused:?}");
    assert_eq!(environments(&platform, &project).await.len(), 1);

    let owner = &platform.owner;
    destroy_environment(&platform.control, owner, main.id, Expected::Any).await.unwrap();
    let _server = platform.serve("one");
    platform
        .until("there is room", || async {
            environments(&platform, &project).await.is_empty().then_some(())
        })
        .await;
    let done = redeliver_webhook(&limited, owner, project.id, refused.id).await.unwrap();
    deployed(&done);
    assert_eq!(deliveries(&platform, &project).await, [done]);
}

#[tokio::test]
async fn a_preview_goes_with_its_branch_and_nothing_else_does() {
    let platform = Platform::new("push_gone").await;
    let project = platform.project("Shop").await;
    let github = GitHub::of(&platform, &project).await;
    let _server = platform.serve("one");
    let commit = platform.push_to("dev", 'a');
    let told = github.tell(&platform, &github.push("dev", &commit)).await;
    let preview = platform.settled(deployed(&told)).await.environment_id;
    platform.push('b');
    let (main, _) = platform.environment(&project).await;

    let told = github.tell(&platform, &github.deletion("main")).await;
    assert!(why(&told).contains("no preview"), "{told:?}");
    let told = github.tell(&platform, &github.deletion("other")).await;
    assert_eq!(why(&told), "the branch has no environment");
    let told = github.tell(&platform, &github.deletion("dev")).await;
    assert_eq!(told.outcome, WebhookOutcome::Removed { environment_id: preview });
    platform
        .until("the preview is gone", || async {
            let state = platform.environment_now(preview).await.state;
            matches!(state, EnvironmentState::Destroyed { .. }).then_some(())
        })
        .await;
    let left = environments(&platform, &project).await;
    assert_eq!(left.iter().map(|it| it.id).collect::<Vec<_>>(), [main.id]);
}

#[tokio::test]
async fn a_push_while_the_preview_is_taken_down_brings_it_back_afterwards() {
    let platform = Platform::new("push_back").await;
    let project = platform.project("Shop").await;
    let github = GitHub::of(&platform, &project).await;
    let commit = platform.push_to("dev", 'a');
    deployed(&github.tell(&platform, &github.push("dev", &commit)).await);
    // Nobody works yet: the environment stays as it is while all this happens.
    github.tell(&platform, &github.deletion("dev")).await;
    let first = github.tell(&platform, &github.push("dev", &commit)).await;
    let second = github.tell(&platform, &github.push("dev", &commit)).await;
    assert_eq!(first.outcome, WebhookOutcome::Waiting);
    assert_eq!(second.outcome, WebhookOutcome::Waiting);

    let _server = platform.serve("one");
    let done = platform
        .until("the last push is done", || async {
            let newest = deliveries(&platform, &project).await.into_iter().next().unwrap();
            (newest.outcome != WebhookOutcome::Waiting).then_some(newest)
        })
        .await;
    assert_eq!(done.id, second.id);
    let deployment = platform.settled(deployed(&done)).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    assert_eq!(deployment.requested_by, "GitHub webhook");
    let (control, owner, page) = (&platform.control, &platform.owner, PageRequest::default());
    let log = list_audit_log(control, owner, &AuditFilter::default(), page).await.unwrap();
    let is_about =
        |id: &str| log.items.iter().any(|it| it.object.as_ref().is_some_and(|it| it.id == id));
    assert!(is_about(&deployment.id.to_string()), "{log:?}");
    let earlier = &deliveries(&platform, &project).await[1];
    assert_eq!(why(earlier), "a later push took its place");
}

#[tokio::test]
async fn a_branch_that_is_gone_again_does_not_come_back() {
    let platform = Platform::new("push_gone_again").await;
    let project = platform.project("Shop").await;
    let github = GitHub::of(&platform, &project).await;
    let commit = platform.push_to("dev", 'a');
    deployed(&github.tell(&platform, &github.push("dev", &commit)).await);
    github.tell(&platform, &github.deletion("dev")).await;
    github.tell(&platform, &github.push("dev", &commit)).await;
    let told = github.tell(&platform, &github.deletion("dev")).await;
    assert_eq!(why(&told), "its environment is being taken down already");
    let waiting = &deliveries(&platform, &project).await[1];
    assert_eq!(why(waiting), "the branch was deleted meanwhile");
}

#[tokio::test]
async fn a_preview_goes_with_its_pull_request_and_comes_back_with_it() {
    let platform = Platform::new("push_requests").await;
    let project = platform.project("Shop").await;
    let github = GitHub::of(&platform, &project).await;
    let _server = platform.serve("one");
    platform.push_to("dev", 'c');
    let opened = github.pull_request("opened", "dev", "octo/shop");
    let told = github.tell(&platform, &opened).await;
    let preview = platform.settled(deployed(&told)).await.environment_id;

    for (action, head, reason) in [
        ("synchronize", "octo/shop", "the push of its commits is what counts"),
        ("labeled", "octo/shop", "it changes nothing about the branch"),
        ("opened", "stranger/shop-fork", "pull requests from forks are not built"),
        ("closed", "stranger/shop-fork", "pull requests from forks are not built"),
        ("reopened", "octo/shop", "the branch has an environment already"),
    ] {
        let told = github.tell(&platform, &github.pull_request(action, "dev", head)).await;
        assert_eq!(why(&told), reason, "{action} {head}");
    }
    let told = github.tell(&platform, &github.pull_request("closed", "dev", "octo/shop")).await;
    assert_eq!(told.outcome, WebhookOutcome::Removed { environment_id: preview });
    platform
        .until("the preview is gone", || async {
            environments(&platform, &project).await.is_empty().then_some(())
        })
        .await;
    let told = github.tell(&platform, &github.pull_request("reopened", "dev", "octo/shop")).await;
    deployed(&told);
}

#[tokio::test]
async fn pushes_that_come_while_one_is_built_take_the_place_of_those_that_wait() {
    let platform = Platform::new("push_burst").await;
    let project = platform.project("Shop").await;
    let github = GitHub::of(&platform, &project).await;
    let _server = platform.serve("one");
    let gate = Gate::closed();
    let commit = platform.push_to("dev", 'a');
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let first = deployed(&github.tell(&platform, &github.push("dev", &commit)).await);
    gate.reached().await;
    let mut waiting = Vec::new();
    for digit in ['b', 'c', 'd'] {
        let commit = platform.push_to("dev", digit);
        let told = github.tell(&platform, &github.push("dev", &commit)).await;
        waiting.push((deployed(&told), commit));
    }
    gate.open();
    platform.settled(first).await;
    let (last, commit) = waiting.pop().unwrap();
    let live = platform.settled(last).await;
    assert!(matches!(live.state, DeploymentState::Live { .. }), "{live:?}");
    assert_eq!(live.commit, Some(commit));
    for (superseded, _) in waiting {
        let deployment = platform.deployment(superseded).await;
        assert!(matches!(deployment.state, DeploymentState::Cancelled { .. }), "{deployment:?}");
        assert_eq!(platform.engine.runs(deployment.build_id), 0);
    }
}
