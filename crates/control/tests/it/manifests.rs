//! What a repository says about itself in `windlass.yaml` counts for the commit that says it.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use windlass_control::{Plans, PutEnvVar, Settings, get_quota, put_env_var, rollback_deployment};
use windlass_domain::{
    Amounts, BuildResources, BuildResult, BuildState, CommandLine, Deployment, DeploymentState,
    LogId, PlanName, ProjectSettings, Resources,
};
use windlass_engine::{Variable, fake::BuildScript};

use crate::support::{Platform, settings};

fn command(text: &str) -> CommandLine {
    text.parse().unwrap()
}

fn values(variables: &[Variable]) -> BTreeMap<&str, &str> {
    variables.iter().map(|it| (it.key.as_str(), it.value.expose_secret())).collect()
}

fn failure(deployment: &Deployment) -> &str {
    let DeploymentState::Failed { reason, .. } = &deployment.state else {
        panic!("{deployment:?}")
    };
    reason
}

#[tokio::test]
async fn what_the_committed_file_sets_wins_over_the_project() {
    let platform = Platform::new("manifest_wins").await;
    let of_project = ProjectSettings {
        build_command: Some(command("make")),
        start_command: Some(command("make run")),
        port: Some(1),
        build_resources: BuildResources { timeout_seconds: Some(60), ..Default::default() },
        ..ProjectSettings::default()
    };
    let project = platform.project_with("Shop", of_project).await;
    let commit = platform.push('a');
    let text = "
build: { command: npm run build, args: { BUILD: argument, FILE: argument } }
app: { port: 8080, memory: 64 }
buildResources: { timeout: 2m }
env: { FILE: of the file, BOTH: of the file, OWN: of the file, EXACT: 007 }
";
    platform.engine.commit_file(&commit, "windlass.yaml", text);
    platform.engine.commit_file(&commit, "nexos.yaml", "app: { port: 9 }");
    let (environment, deployment) = platform.environment(&project).await;
    for (key, environment_id) in [("BOTH", None), ("OWN", Some(environment.id))] {
        let (key, value) = (key.parse().unwrap(), "of the API".into());
        let put = PutEnvVar { key, value, environment_id, previews: None };
        put_env_var(&platform.control, &platform.owner, project.id, put).await.unwrap();
    }
    let _server = platform.serve("one");
    let live = platform.settled(deployment.id).await;
    assert!(matches!(live.state, DeploymentState::Live { .. }), "{live:?}");

    let build = platform.engine.build_request(live.build_id).unwrap();
    assert_eq!(build.recipe.build_command, Some(command("npm run build")));
    assert_eq!(build.recipe.start_command, Some(command("make run")));
    assert_eq!(build.limits.wall.as_secs(), 120);
    let app = platform.engine.app_request(live.id).unwrap();
    assert_eq!((app.port, app.limits.memory_bytes), (Some(8080), 64 << 20));
    let expected = BTreeMap::from([
        ("FILE", "of the file"),
        ("BOTH", "of the file"),
        ("OWN", "of the API"),
        ("EXACT", "007"),
    ]);
    assert_eq!(values(&app.variables), expected);
    let mut of_build = expected.clone();
    of_build.extend([("BUILD", "argument"), ("FILE", "argument")]);
    assert_eq!(values(&build.variables), of_build);
    let log = platform.log(LogId::Build(live.build_id)).await;
    assert!(log.contains(&"windlass.yaml says how".to_owned()), "{log:?}");
}

#[tokio::test]
async fn a_wrong_field_fails_the_deployment_with_its_place_and_the_old_app_answers_on() {
    let platform = Platform::new("manifest_wrong").await;
    let project = platform.project("Shop").await;
    platform.push('a');
    let (environment, first) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(first.id).await;

    let commit = platform.push('b');
    let text = "app:\n  port: 8080\n  prot: http\nbuild:\n  dockerfile: ../up\n";
    platform.engine.commit_file(&commit, "nexos.yaml", text);
    let failed = platform.settled(platform.rebuild(environment.id).await.id).await;
    let reason = failure(&failed);
    assert!(reason.contains("nexos.yaml:3:3: app: there is no `prot` here"), "{reason}");
    assert!(reason.contains("nexos.yaml:5:15: build.dockerfile: "), "{reason}");
    let build = platform.build_of(&failed).await;
    let BuildState::Ended(end) = build.state else { panic!("{build:?}") };
    assert_eq!((end.result, end.started_at), (BuildResult::ClientError, None));
    let now = platform.environment_now(environment.id).await;
    assert_eq!(now.live_deployment, Some(first.id));
}

#[tokio::test]
async fn going_back_goes_back_to_what_that_commit_said() {
    let platform = Platform::new("manifest_rollback").await;
    let project = platform.project("Shop").await;
    let commit = platform.push('a');
    platform.engine.commit_file(&commit, "windlass.yaml", "app: { port: 1000, memory: 32 }");
    let (environment, first) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(first.id).await;
    let commit = platform.push('b');
    platform.engine.commit_file(&commit, "windlass.yaml", "app: { port: 2000 }");
    let second = platform.settled(platform.rebuild(environment.id).await.id).await;
    assert_eq!(platform.engine.app_request(second.id).unwrap().port, Some(2000));
    let now = platform.environment_now(environment.id).await;
    assert_eq!(now.resources, Resources::default());

    let back = rollback_deployment(&platform.control, &platform.owner, first.id).await.unwrap();
    let back = platform.settled(back.id).await;
    assert_eq!(platform.engine.app_request(back.id).unwrap().port, Some(1000));
    let now = platform.environment_now(environment.id).await;
    assert_eq!(now.resources.memory_mb, Some(32));
}

#[tokio::test]
async fn a_build_that_was_lost_is_repeated_as_the_file_said() {
    let platform = Platform::new("manifest_lost").await;
    let project = platform.project("Shop").await;
    let commit = platform.push('a');
    platform.engine.commit_file(&commit, "windlass.yaml", "build: { command: make }");
    let lost = BuildScript::ending(BuildResult::InternalError, "the machine restarted");
    platform.engine.script_build(&commit, lost);
    let (_, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform
        .until("it was lost once", || async {
            let build = platform.build_of(&platform.deployment(deployment.id).await).await;
            build.restart_of.is_some().then_some(())
        })
        .await;
    platform.engine.script_build(&commit, BuildScript::built());
    let settled = platform.settled(deployment.id).await;
    let build = platform.engine.build_request(settled.build_id).unwrap();
    assert_eq!(build.recipe.build_command, Some(command("make")));
}

#[tokio::test]
async fn a_file_cannot_ask_for_more_than_the_plan_allows() {
    let platform = Platform::new("manifest_quota").await;
    let name: PlanName = "small".parse().unwrap();
    let limits = Amounts { memory_mb: 300, ..Amounts::UNLIMITED };
    let plans = Plans::new(name.clone(), [(name, limits)].into()).unwrap();
    let limited = || Settings { plans: plans.clone(), ..settings() };
    let used = async || {
        let control = platform.another_with("looking", limited());
        get_quota(&control, &platform.owner).await.unwrap().used.memory_mb
    };
    let resources = Resources { memory_mb: Some(100), ..Resources::default() };
    let of_project = ProjectSettings { resources, ..ProjectSettings::default() };
    let project = platform.project_with("Shop", of_project).await;
    let commit = platform.push('a');
    platform.engine.commit_file(&commit, "windlass.yaml", "app: { memory: 280 }");
    let (environment, first) = platform.environment(&project).await;
    assert_eq!(used().await, 100);
    let _server = platform.serve_with("one", limited());
    let live = platform.settled(first.id).await;
    assert!(matches!(live.state, DeploymentState::Live { .. }), "{live:?}");
    assert_eq!(used().await, 280);

    let commit = platform.push('b');
    platform.engine.commit_file(&commit, "windlass.yaml", "app: { memory: 301 }");
    let failed = platform.settled(platform.rebuild(environment.id).await.id).await;
    let reason = failure(&failed);
    assert!(reason.contains("allows 300 MiB"), "{reason}");
    assert_eq!(used().await, 280);

    platform.push('c');
    platform.settled(platform.rebuild(environment.id).await.id).await;
    assert_eq!(used().await, 100);
}
