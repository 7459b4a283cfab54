//! Environment variables: sealed, masked, inherited.

use secrecy::{ExposeSecret as _, SecretString};
use windlass_control::{PutEnvVar, delete_env_var, list_env_vars, put_env_var};
use windlass_domain::{DeploymentState, EnvVarKey, EnvironmentId, PageRequest};
use windlass_storage::Store as _;

use crate::support::Platform;

fn put(key: &str, value: &str, environment_id: Option<EnvironmentId>) -> PutEnvVar {
    PutEnvVar {
        key: key.parse().unwrap(),
        value: SecretString::from(value),
        environment_id,
        previews: None,
    }
}

#[tokio::test]
async fn builds_and_apps_get_the_projects_variables_and_the_environments_own_in_their_place() {
    let platform = Platform::new("inherited").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let (control, owner) = (&platform.control, &platform.owner);
    for new in [
        put("BOTH", "of the project", None),
        put("BOTH", "of the environment", Some(environment.id)),
        put("ONE", "old", None),
        put("ONE", "new", None),
        put("GONE", "gone", None),
    ] {
        put_env_var(control, owner, project.id, new).await.unwrap();
    }
    let listed = list_env_vars(control, owner, project.id, PageRequest::default()).await.unwrap();
    let gone = listed.items.iter().find(|it| it.var.key.as_str() == "GONE").unwrap().var.id;
    delete_env_var(control, owner, project.id, gone).await.unwrap();

    let _server = platform.serve("one");
    let deployment = platform.settled(deployment.id).await;
    let request = platform.engine.app_request(deployment.id).unwrap();
    let mut seen: Vec<(&EnvVarKey, &str)> =
        request.variables.iter().map(|it| (&it.key, it.value.expose_secret())).collect();
    seen.sort();
    let expected = [("BOTH", "of the environment"), ("ONE", "new")];
    assert_eq!(
        seen.iter().map(|(key, value)| (key.as_str(), *value)).collect::<Vec<_>>(),
        expected
    );
}

#[tokio::test]
async fn a_value_is_shown_by_its_end_only_and_only_where_it_is_long() {
    let platform = Platform::new("masked").await;
    let project = platform.project("Shop").await;
    let (control, owner) = (&platform.control, &platform.owner);
    for new in [put("LONG", "0123456789ab", None), put("SHORT", "0123456789a", None)] {
        put_env_var(control, owner, project.id, new).await.unwrap();
    }
    let listed = list_env_vars(control, owner, project.id, PageRequest::default()).await.unwrap();
    let masked: Vec<&str> = listed.items.iter().map(|it| it.masked.as_str()).collect();
    assert_eq!(masked, ["********", "********89ab"]);
}

#[tokio::test]
async fn a_value_moved_to_another_row_does_not_open() {
    let platform = Platform::new("moved").await;
    let project = platform.project("Shop").await;
    let (control, owner) = (&platform.control, &platform.owner);
    let mine = put_env_var(control, owner, project.id, put("MINE", "public", None)).await.unwrap();
    let secret = put_env_var(control, owner, project.id, put("SECRET", "hush, nobody knows", None))
        .await
        .unwrap();
    let mut swapped = mine.var;
    swapped.value = secret.var.value;
    let mut uow = platform.store.write().await.unwrap();
    uow.env_vars().update(&swapped).await.unwrap();
    uow.commit().await.unwrap();
    let listed = list_env_vars(control, owner, project.id, PageRequest::default()).await.unwrap();
    let moved = listed.items.iter().find(|it| it.var.key.as_str() == "MINE").unwrap();
    assert_eq!(moved.masked, "********");

    platform.push('a');
    let (_, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    let failed = platform.settled(deployment.id).await;
    assert!(matches!(failed.state, DeploymentState::Failed { .. }), "{failed:?}");
    assert_eq!(platform.engine.runs(failed.build_id), 0);
}
