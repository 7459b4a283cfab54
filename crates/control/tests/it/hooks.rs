//! What a project wants run before its app is started is run, once, and decides.

use std::str::FromStr as _;

use secrecy::ExposeSecret as _;
use windlass_control::{Expected, cancel_deployment, reset_environment, rollback_deployment};
use windlass_domain::{
    CommandLine, CommitId, Deployment, DeploymentState, Environment, EnvironmentState, Hook, Hooks,
    LogId, ProjectSettings, Services,
};
use windlass_engine::{
    Engine as _, TaskResult,
    fake::{Gate, TaskScript},
};

use crate::support::Platform;

fn settings() -> ProjectSettings {
    ProjectSettings {
        hooks: Hooks {
            on_new: CommandLine::from_str("make seed").ok(),
            on_deploy: CommandLine::from_str("make migrate").ok(),
        },
        services: Services { postgres: true, ..Services::NONE },
        ..ProjectSettings::default()
    }
}

/// A project with hooks, and its first deployment, on its way.
async fn begun(platform: &Platform) -> (Environment, Deployment, CommitId) {
    let commit = platform.push('a');
    let project = platform.project_with("Shop", settings()).await;
    let (environment, deployment) = platform.environment(&project).await;
    (environment, deployment, commit)
}

fn hooks_run(platform: &Platform) -> Vec<(Hook, String)> {
    let run = platform.engine.tasks_run().into_iter();
    run.map(|request| (request.task.hook, String::from(request.command))).collect()
}

fn is_live(deployment: &Deployment) -> bool {
    matches!(deployment.state, DeploymentState::Live { .. })
}

fn reason(deployment: &Deployment) -> &str {
    let DeploymentState::Failed { reason, .. } = &deployment.state else {
        panic!("{deployment:?}");
    };
    reason
}

#[tokio::test]
async fn a_new_environment_is_set_up_once_and_every_deployment_is_prepared() {
    let platform = Platform::new("hooks_order").await;
    let _server = platform.serve("one");
    let (environment, first, commit) = begun(&platform).await;
    platform.engine.script_task(&commit, Hook::OnNew, TaskScript::default().print("3 rows"));
    assert!(is_live(&platform.settled(first.id).await));
    let (seed, migrate) =
        ((Hook::OnNew, "make seed".to_owned()), (Hook::OnDeploy, "make migrate".to_owned()));
    assert_eq!(hooks_run(&platform), [seed.clone(), migrate.clone()]);
    // They find what the app will find.
    let request = platform.engine.app_request(first.id).unwrap();
    for task in platform.engine.tasks_run() {
        assert_eq!((task.environment, task.build), (environment.id, first.build_id));
        let values = |variables: &[windlass_engine::Variable]| -> Vec<String> {
            variables.iter().map(|one| one.value.expose_secret().to_owned()).collect()
        };
        assert_eq!(values(&task.variables), values(&request.variables));
        assert_eq!(values(&task.variables), [format!("postgres://{}", environment.id)]);
    }
    let log = platform.log(LogId::App(environment.id)).await;
    let at = |text: &str| {
        log.iter().position(|line| line == text).unwrap_or_else(|| panic!("{text} in {log:?}"))
    };
    assert!(at("Running on_new") < at("3 rows") && at("3 rows") < at("Running on_deploy"));

    platform.push('b');
    let second = platform.rebuild(environment.id).await;
    assert!(is_live(&platform.settled(second.id).await));
    let back = rollback_deployment(&platform.control, &platform.owner, first.id).await.unwrap();
    assert!(is_live(&platform.settled(back.id).await));
    let expected = [seed.clone(), migrate.clone(), migrate.clone(), migrate.clone()];
    assert_eq!(hooks_run(&platform), expected);

    let (control, owner) = (&platform.control, &platform.owner);
    let reset = reset_environment(control, owner, environment.id, Expected::Any).await.unwrap();
    assert!(is_live(&platform.settled(reset.id).await));
    assert_eq!(hooks_run(&platform)[4..], [seed, migrate]);
    nothing_is_kept(&platform).await;
}

async fn nothing_is_kept(platform: &Platform) {
    platform
        .until("no task is kept", || async {
            platform.engine.kept_tasks().await.unwrap().is_empty().then_some(())
        })
        .await;
}

#[tokio::test]
async fn where_one_fails_what_answered_goes_on_answering() {
    let platform = Platform::new("hooks_fail").await;
    let _server = platform.serve("one");
    let (environment, first, _) = begun(&platform).await;
    assert!(is_live(&platform.settled(first.id).await));
    let commit = platform.push('b');
    let script = TaskScript::ending(TaskResult::Failed, "exit status 3").print("no such column");
    platform.engine.script_task(&commit, Hook::OnDeploy, script);

    let failed = platform.settled(platform.rebuild(environment.id).await.id).await;
    assert_eq!(reason(&failed), "on_deploy failed: exit status 3 (the app's log has its lines)");
    let now = platform.environment_now(environment.id).await;
    assert_eq!((now.state, now.live_deployment), (EnvironmentState::Active, Some(first.id)));
    assert!(platform.engine.running(first.id).is_some());
    assert!(platform.engine.app_request(failed.id).is_none(), "its app was started");
    let log = platform.log(LogId::App(environment.id)).await;
    assert!(log.iter().any(|line| line == "no such column"), "{log:?}");
    nothing_is_kept(&platform).await;
}

#[tokio::test]
async fn one_that_could_not_set_an_environment_up_is_run_again_by_the_next_deployment() {
    let platform = Platform::new("hooks_new_again").await;
    let _server = platform.serve("one");
    let (environment, first, commit) = begun(&platform).await;
    let script = TaskScript::ending(TaskResult::TimedOut, "took longer than 30 minutes");
    platform.engine.script_task(&commit, Hook::OnNew, script);
    let first = platform.settled(first.id).await;
    assert!(reason(&first).starts_with("on_new failed: took longer than 30 minutes"));
    assert_eq!(hooks_run(&platform).len(), 1);

    platform.push('b');
    assert!(is_live(&platform.settled(platform.rebuild(environment.id).await.id).await));
    let hooks: Vec<Hook> = hooks_run(&platform).into_iter().map(|(hook, _)| hook).collect();
    assert_eq!(hooks, [Hook::OnNew, Hook::OnNew, Hook::OnDeploy]);
}

#[tokio::test]
async fn what_has_set_an_environment_up_is_not_run_again_when_the_rest_fails() {
    let platform = Platform::new("hooks_set_up").await;
    let _server = platform.serve("one");
    let (environment, first, commit) = begun(&platform).await;
    let script = TaskScript::ending(TaskResult::Failed, "exit status 1");
    platform.engine.script_task(&commit, Hook::OnDeploy, script);
    let first = platform.settled(first.id).await;
    assert!(reason(&first).starts_with("on_deploy failed"), "{first:?}");

    platform.push('b');
    assert!(is_live(&platform.settled(platform.rebuild(environment.id).await.id).await));
    let hooks: Vec<Hook> = hooks_run(&platform).into_iter().map(|(hook, _)| hook).collect();
    assert_eq!(hooks, [Hook::OnNew, Hook::OnDeploy, Hook::OnDeploy]);
}

#[tokio::test]
async fn none_runs_twice_when_the_server_is_killed_meanwhile() {
    let platform = Platform::new("hooks_killed").await;
    let server = platform.serve("one");
    let gate = Gate::closed();
    let commit = platform.push('a');
    let script = TaskScript::default().print("begun").wait(&gate).print("done");
    platform.engine.script_task(&commit, Hook::OnDeploy, script);
    let project = platform.project_with("Shop", settings()).await;
    let (environment, deployment) = platform.environment(&project).await;
    gate.reached().await;
    server.kill();
    let _next = platform.serve("two");
    gate.open();
    assert!(is_live(&platform.settled(deployment.id).await));
    assert_eq!(hooks_run(&platform).len(), 2);
    let log = platform.log(LogId::App(environment.id)).await;
    for text in ["begun", "done", "Running on_new", "Running on_deploy"] {
        assert_eq!(log.iter().filter(|line| *line == text).count(), 1, "{text} in {log:?}");
    }
    nothing_is_kept(&platform).await;
}

#[tokio::test]
async fn one_that_runs_ends_when_its_deployment_is_called_off() {
    let platform = Platform::new("hooks_cancelled").await;
    let _server = platform.serve("one");
    let gate = Gate::closed();
    let commit = platform.push('a');
    platform.engine.script_task(&commit, Hook::OnNew, TaskScript::default().wait(&gate));
    let project = platform.project_with("Shop", settings()).await;
    let (_, deployment) = platform.environment(&project).await;
    gate.reached().await;
    cancel_deployment(&platform.control, &platform.owner, deployment.id).await.unwrap();
    nothing_is_kept(&platform).await;
    assert_eq!(hooks_run(&platform).len(), 1);
}

#[tokio::test]
async fn the_file_of_the_commit_says_what_is_run() {
    let platform = Platform::new("hooks_file").await;
    let _server = platform.serve("one");
    let commit = platform.push('a');
    platform.engine.commit_file(&commit, "windlass.yaml", "hooks: { on_deploy: ./up.sh }");
    let project = platform.project_with("Shop", settings()).await;
    let (_, deployment) = platform.environment(&project).await;
    assert!(is_live(&platform.settled(deployment.id).await));
    let run: Vec<String> = hooks_run(&platform).into_iter().map(|(_, command)| command).collect();
    assert_eq!(run, ["make seed", "./up.sh"]);
}
