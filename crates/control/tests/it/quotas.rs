//! Organizations use no more than their plan allows, whoever asks at once.

use std::collections::HashMap;

use futures_util::future::join_all;
use windlass_control::{
    Control, ControlError, Expected, Plans, Settings, create_environment, create_project,
    get_quota, rebuild_environment, update_project,
};
use windlass_domain::{
    Amounts, BuildResult, BuildState, DeploymentState, PlanName, Project, ProjectSettings,
    Resources,
};
use windlass_engine::fake::{BuildScript, Gate};

use crate::support::{Platform, git_url, new_project, settings};

/// Everybody's plan is this one.
fn limited_to(limits: Amounts) -> Settings {
    let name: PlanName = "small".parse().unwrap();
    let plans = Plans::new(name.clone(), HashMap::from([(name, limits)])).unwrap();
    Settings { plans, ..settings() }
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, ControlError>) -> String {
    let err = outcome.unwrap_err();
    let ControlError::Refused { code: "quota_exceeded", message } = err else { panic!("{err:?}") };
    message
}

/// Two servers on the platform's database.
fn servers(platform: &Platform, limits: Amounts) -> [Control; 2] {
    ["one", "two"].map(|name| platform.another_with(name, limited_to(limits)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_who_ask_at_once_get_exactly_as_many_projects_as_there_are() {
    let platform = Platform::new("quota_projects").await;
    let controls = servers(&platform, Amounts { projects: 7, ..Amounts::UNLIMITED });
    let asked = (0..50).map(|number| {
        let new = new_project(&format!("p{number}"), ProjectSettings::default());
        create_project(&controls[number % 2], &platform.owner, new)
    });
    let (granted, refused): (Vec<_>, Vec<_>) =
        join_all(asked).await.into_iter().partition(Result::is_ok);
    assert_eq!(granted.len(), 7);
    for refused in refused {
        let message = "the organization's plan `small` allows 7 projects; 7 projects in use and \
                       1 project more asked for";
        assert_eq!(refusal(refused), message);
    }
    let quota = get_quota(&controls[0], &platform.owner).await.unwrap();
    assert_eq!((quota.plan.as_str(), quota.used.projects), ("small", 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_who_ask_at_once_get_exactly_as_much_memory_as_there_is() {
    let platform = Platform::new("quota_memory").await;
    let controls = servers(&platform, Amounts { memory_mb: 1_000, ..Amounts::UNLIMITED });
    let resources = Resources { memory_mb: Some(300), ..Resources::default() };
    let of =
        |name: &str| (name.to_owned(), ProjectSettings { resources, ..ProjectSettings::default() });
    let mut projects = Vec::new();
    for (name, settings) in ["a", "b"].map(of) {
        projects.push(platform.project_with(&name, settings).await);
    }
    let asked = (0..50).map(|number| {
        let branch = format!("b{number}").parse().unwrap();
        create_environment(&controls[number % 2], &platform.owner, projects[number % 2].id, branch)
    });
    let granted = join_all(asked).await.into_iter().flatten().count();
    assert_eq!(granted, 3);
    let used = get_quota(&controls[0], &platform.owner).await.unwrap().used;
    assert_eq!((used.environments, used.memory_mb, used.cpu_millis), (3, 900, 3_000));
}

#[tokio::test]
async fn what_apps_may_use_grows_only_as_far_as_the_plan_allows() {
    let platform = Platform::new("quota_growing").await;
    let project = platform.project("Shop").await;
    platform.environment(&project).await;
    let limits = Amounts { cpu_millis: 1_500, environments: 1, ..Amounts::UNLIMITED };
    let [control, _] = servers(&platform, limits);
    let change = async |cpu_millis| {
        update_project(&control, &platform.owner, project.id, Expected::default(), |change| {
            let resources = Resources { cpu_millis: Some(cpu_millis), ..Resources::default() };
            Ok(windlass_domain::ProjectChange {
                settings: ProjectSettings { resources, ..change.settings.clone() },
                ..change
            })
        })
        .await
    };
    let message = "the organization's plan `small` allows 1.5 CPUs; 1 CPU in use and 0.501 CPUs \
                   more asked for";
    assert_eq!(refusal(change(1_501).await), message);
    change(1_500).await.unwrap();
    change(500).await.unwrap();
    let message = "the organization's plan `small` allows 1 environment; 1 environment in use and \
                   1 environment more asked for";
    let second = "second".parse().unwrap();
    let refused = create_environment(&control, &platform.owner, project.id, second).await;
    assert_eq!(refusal(refused), message);
}

#[tokio::test]
async fn a_build_ends_with_the_time_for_builds_and_none_begins_after_it() {
    let platform = Platform::new("quota_builds").await;
    let commit = platform.push('a');
    platform.engine.script_build(&commit, BuildScript::built().wait(&Gate::closed()));
    let project: Project = platform.project("Shop").await;
    let (environment, endless) = platform.environment(&project).await;
    // Asked for while there is time left.
    let other = "other".parse().unwrap();
    platform.engine.push(&git_url(), &other, &commit);
    let waiting = create_environment(&platform.control, &platform.owner, project.id, other).await;
    let waiting = waiting.unwrap().latest_deployment.unwrap();
    let limits = Amounts { build_millis: 300, ..Amounts::UNLIMITED };
    // One at a time.
    let one = Settings { workers: 1, slots_per_organization: 1, ..limited_to(limits) };
    let _server = platform.serve_with("one", one);

    let message = "the organization's plan `small` allows 0 build minutes a month, and 0 are \
                   used: builds go on next month";
    let ended = platform.settled(endless.id).await;
    let DeploymentState::Failed { reason, .. } = &ended.state else { panic!("{ended:?}") };
    assert_eq!(reason, message);
    let BuildState::Ended(end) = platform.build_of(&ended).await.state else { panic!("it runs") };
    assert_eq!((end.result, &*end.message), (BuildResult::Cancelled, message));

    let waiting = platform.settled(waiting.id).await;
    let DeploymentState::Failed { reason, .. } = &waiting.state else { panic!("{waiting:?}") };
    assert_eq!((&**reason, platform.engine.runs(waiting.build_id)), (message, 0));
    let [control, _] = servers(&platform, limits);
    let refused = rebuild_environment(&control, &platform.owner, environment.id).await;
    assert_eq!(refusal(refused), message);
    let refused =
        create_environment(&control, &platform.owner, project.id, "third".parse().unwrap()).await;
    assert_eq!(refusal(refused), message);
}
