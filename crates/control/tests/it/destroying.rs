//! Environments and projects end, with everything in them.

use windlass_control::{
    ControlError, Expected, PutEnvVar, delete_project, destroy_environment, get_project,
    put_env_var, rebuild_environment,
};
use windlass_domain::{
    BuildState, DeploymentState, EnvironmentId, EnvironmentState, PageRequest, Project,
    ProjectState,
};
use windlass_engine::fake::{BuildScript, Fault, Gate, Operation};
use windlass_storage::Store as _;

use crate::support::Platform;

#[tokio::test]
async fn a_live_environment() {
    let platform = Platform::new("live_env").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    let (control, owner) = (&platform.control, &platform.owner);
    destroy_environment(control, owner, environment.id, Expected::Any).await.unwrap();
    destroyed(&platform, environment.id).await;
    assert!(platform.engine.app_request(deployment.id).is_none());
    let deployment = platform.deployment(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Superseded { .. }), "{deployment:?}");
    // A look at what runs that began before may write the routes once more.
    platform
        .until("nothing is at the address", || async {
            platform.routes.get(&environment.host).is_none().then_some(())
        })
        .await;
    let refused = rebuild_environment(control, owner, environment.id).await;
    assert!(matches!(refused, Err(ControlError::Conflict { .. })), "{refused:?}");
    // Its branch and its address are free again.
    let (again, _) = platform.environment(&project).await;
    assert_eq!(again.host, environment.host);
}

#[tokio::test]
async fn an_environment_in_the_middle_of_a_build() {
    let platform = Platform::new("building_env").await;
    let commit = platform.push('a');
    let gate = Gate::closed();
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    gate.reached().await;
    let waiting = platform.rebuild(environment.id).await;
    let (control, owner) = (&platform.control, &platform.owner);
    destroy_environment(control, owner, environment.id, Expected::Any).await.unwrap();
    destroyed(&platform, environment.id).await;
    for id in [deployment.id, waiting.id] {
        let deployment = platform.deployment(id).await;
        assert!(matches!(deployment.state, DeploymentState::Cancelled { .. }), "{deployment:?}");
        let build = platform.build_of(&deployment).await;
        assert!(matches!(build.state, BuildState::Ended(_)), "{build:?}");
    }
}

#[tokio::test]
async fn a_removal_that_was_given_up_can_be_asked_for_again() {
    let platform = Platform::new("given_up").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let server = platform.serve("one");
    platform.settled(deployment.id).await;
    let (control, owner) = (&platform.control, &platform.owner);
    platform.engine.fail_next(Operation::Stop, Fault::Internal, 3);
    destroy_environment(control, owner, environment.id, Expected::Any).await.unwrap();
    platform
        .until("the job is given up", || async {
            let now = chrono::DateTime::UNIX_EPOCH;
            let mut uow = platform.store.read().await.unwrap();
            (uow.jobs().depth(now).await.unwrap().dead == 1).then_some(())
        })
        .await;
    destroy_environment(control, owner, environment.id, Expected::Any).await.unwrap();
    destroyed(&platform, environment.id).await;
    server.stop().await;
}

#[tokio::test]
async fn a_project_goes_with_its_last_environment() {
    let platform = Platform::new("project").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    let (control, owner) = (&platform.control, &platform.owner);
    let deleting = delete_project(control, owner, project.id, Expected::Any).await.unwrap();
    assert!(matches!(deleting.state, ProjectState::Deleting { .. }), "{deleting:?}");
    destroyed(&platform, environment.id).await;
    let gone = get_project(control, owner, project.id).await;
    assert!(matches!(gone, Err(ControlError::NotFound("project"))), "{gone:?}");
    // Its name makes the same slug again.
    assert_eq!(platform.project("Shop").await.slug, project.slug);
}

#[tokio::test]
async fn a_project_without_environments_goes_at_once() {
    let platform = Platform::new("empty_project").await;
    let project = platform.project("Shop").await;
    let (control, owner) = (&platform.control, &platform.owner);
    let stale = delete_project(control, owner, project.id, Expected::Version(7)).await;
    assert!(matches!(stale, Err(ControlError::Changed)), "{stale:?}");
    let gone = delete_project(control, owner, project.id, Expected::Version(1)).await.unwrap();
    assert!(matches!(gone.state, ProjectState::Deleted { .. }), "{gone:?}");
}

#[tokio::test]
async fn secrets_end_with_the_environment_or_the_project_that_they_were_for() {
    let platform = Platform::new("secrets").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let (control, owner) = (&platform.control, &platform.owner);
    for (key, environment_id) in [("OF_PROJECT", None), ("OWN", Some(environment.id))] {
        let put = PutEnvVar {
            key: key.parse().unwrap(),
            value: "hush".into(),
            environment_id,
            previews: None,
        };
        put_env_var(control, owner, project.id, put).await.unwrap();
    }
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    assert_eq!(stored_variables(&platform, &project).await, ["OWN", "OF_PROJECT"]);

    destroy_environment(control, owner, environment.id, Expected::Any).await.unwrap();
    destroyed(&platform, environment.id).await;
    assert_eq!(stored_variables(&platform, &project).await, ["OF_PROJECT"]);

    let (last, _) = platform.environment(&project).await;
    delete_project(control, owner, project.id, Expected::Any).await.unwrap();
    destroyed(&platform, last.id).await;
    assert_eq!(stored_variables(&platform, &project).await, [""; 0]);
}

/// The names in the table, whatever has become of the project, newest first.
async fn stored_variables(platform: &Platform, project: &Project) -> Vec<String> {
    let mut uow = platform.store.read().await.unwrap();
    let page = PageRequest::default();
    let page = uow.env_vars().list(project.organization_id, project.id, page).await.unwrap();
    page.items.iter().map(|var| var.key.to_string()).collect()
}

async fn destroyed(platform: &Platform, id: EnvironmentId) {
    platform
        .until("the environment is destroyed", || async {
            let environment = platform.environment_now(id).await;
            matches!(environment.state, EnvironmentState::Destroyed { .. }).then_some(())
        })
        .await;
}
