//! Previews end and rest by themselves, and wake up when somebody wants them.

use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use windlass_control::{
    Expected, PutEnvVar, RouteTarget, pause_environment, put_env_var, resume_environment,
    wake_environment,
};
use windlass_domain::{
    Deployment, Environment, EnvironmentId, EnvironmentKind, EnvironmentState, LogId, PausedBy,
    Previews, Project, ProjectSettings,
};
use windlass_engine::fake::{BuildScript, Gate};
use windlass_storage::Store as _;

use crate::{
    forge::GitHub,
    support::{FX, Platform},
};

const HOUR: u32 = 3_600;

/// A project whose previews last as long as this.
async fn project(platform: &Platform, previews: Previews) -> Project {
    platform.project_with("Shop", ProjectSettings { previews, ..ProjectSettings::default() }).await
}

/// A live preview of the branch `dev`.
async fn preview(platform: &Platform, project: &Project) -> (Environment, Deployment) {
    let github = GitHub::of(platform, project).await;
    let commit = platform.push_to("dev", 'a');
    github.tell(platform, &github.push("dev", &commit)).await;
    platform
        .until("the preview is live", || async {
            let (control, owner) = (&platform.control, &platform.owner);
            let page = windlass_control::list_environments(
                control,
                owner,
                project.id,
                windlass_domain::PageRequest::default(),
            );
            let detail = page.await.unwrap().items.into_iter().next()?;
            let is_live = detail.environment.state == EnvironmentState::Active;
            is_live.then(|| (detail.environment, detail.latest_deployment.unwrap()))
        })
        .await
}

async fn set_previews(platform: &Platform, project: &Project, previews: Previews) {
    let settings = ProjectSettings { previews, ..project.settings.clone() };
    let mut uow = platform.store.write().await.unwrap();
    uow.projects().update(&Project { settings, ..project.clone() }).await.unwrap();
    uow.commit().await.unwrap();
}

/// Makes it look as if all of it had been so much earlier.
async fn age(platform: &Platform, id: EnvironmentId, by: TimeDelta) {
    let organization = platform.owner.organization();
    let mut uow = platform.store.write().await.unwrap();
    let found = uow.environments().find_for_update(organization, id).await.unwrap().unwrap();
    let older = Environment {
        refreshed_at: found.refreshed_at - by,
        updated_at: found.updated_at - by,
        ..found
    };
    uow.environments().update(&older).await.unwrap();
    uow.commit().await.unwrap();
}

async fn is_in(platform: &Platform, id: EnvironmentId, wanted: &str) {
    platform
        .until(&format!("it is {wanted}"), || async {
            (platform.environment_now(id).await.state.name() == wanted).then_some(())
        })
        .await;
}

async fn route_is(platform: &Platform, environment: &Environment, wanted: &RouteTarget) {
    platform
        .until("the route changes", || async {
            (platform.routes.get(&environment.host).as_ref() == Some(wanted)).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_preview_ends_when_its_time_is_over() {
    let platform = Platform::new("preview_ttl").await;
    let previews = Previews { ttl_seconds: Some(HOUR), ..Previews::default() };
    let project = project(&platform, previews).await;
    let _server = platform.serve("one");
    let (environment, _) = preview(&platform, &project).await;
    age(&platform, environment.id, TimeDelta::minutes(59)).await;
    // A deployment gives it the whole time again.
    let again = platform.rebuild(environment.id).await;
    platform.settled(again.id).await;
    age(&platform, environment.id, TimeDelta::minutes(59)).await;
    let now = platform.environment_now(environment.id).await;
    assert_eq!(now.state, EnvironmentState::Active);

    age(&platform, environment.id, TimeDelta::minutes(1)).await;
    is_in(&platform, environment.id, "destroyed").await;
    let log = platform.log(LogId::App(environment.id)).await;
    assert!(log.iter().any(|line| line.contains("has had its time")), "{log:?}");
}

#[tokio::test]
async fn a_persistent_environment_neither_ends_nor_rests() {
    let platform = Platform::new("preview_persistent").await;
    let previews =
        Previews { ttl_seconds: Some(HOUR), idle_pause_seconds: Some(HOUR), ..Previews::default() };
    let project = project(&platform, previews).await;
    let _server = platform.serve("one");
    platform.push('a');
    let (main, deployment) = platform.environment(&project).await;
    platform.settled(deployment.id).await;
    let (preview, _) = preview(&platform, &project).await;
    for id in [main.id, preview.id] {
        age(&platform, id, TimeDelta::days(1)).await;
    }
    is_in(&platform, preview.id, "destroyed").await;
    let main = platform.environment_now(main.id).await;
    assert_eq!((main.kind, main.state), (EnvironmentKind::Persistent, EnvironmentState::Active));
}

#[tokio::test]
async fn a_preview_that_nobody_visits_rests_until_somebody_does() {
    let platform = Platform::new("preview_idle").await;
    let previews = Previews { idle_pause_seconds: Some(HOUR), ..Previews::default() };
    let project = project(&platform, previews.clone()).await;
    let _server = platform.serve("one");
    let (environment, deployment) = preview(&platform, &project).await;

    platform.routes.visit(&environment.host);
    let visited = platform
        .until("the visit is noted", || async {
            platform.environment_now(environment.id).await.visited_at
        })
        .await;
    assert!(visited <= FX.clock.now());
    age(&platform, environment.id, TimeDelta::hours(2)).await;
    for _ in 0..3 {
        platform.routes.looked_at().await;
    }
    let visited = platform.environment_now(environment.id).await;
    assert_eq!(visited.state, EnvironmentState::Active);

    let at_once = Previews { idle_pause_seconds: Some(0), ..Previews::default() };
    set_previews(&platform, &project, at_once).await;

    is_in(&platform, environment.id, "paused").await;
    route_is(&platform, &environment, &RouteTarget::Asleep).await;
    platform
        .until("the app is stopped", || async {
            platform.engine.app_request(deployment.id).is_none().then_some(())
        })
        .await;

    // From here on it has an hour again.
    set_previews(&platform, &project, previews).await;
    wake_environment(&platform.control, &environment.host).await.unwrap();
    let app = platform.until("the app runs", || async { platform.engine.running(deployment.id) });
    let app = app.await;
    route_is(&platform, &environment, &RouteTarget::App(app.addresses)).await;
    let log = platform.log(LogId::App(environment.id)).await;
    assert_eq!(log.last().unwrap(), "A request woke the environment");
}

#[tokio::test]
async fn what_is_being_deployed_does_not_rest() {
    let platform = Platform::new("preview_busy").await;
    let previews = Previews { idle_pause_seconds: Some(HOUR), ..Previews::default() };
    let project = project(&platform, previews).await;
    let _server = platform.serve("one");
    let (environment, _) = preview(&platform, &project).await;
    let gate = Gate::closed();
    let commit = platform.push_to("dev", 'b');
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let building = platform.rebuild(environment.id).await;
    gate.reached().await;
    age(&platform, environment.id, TimeDelta::hours(2)).await;
    // It is looked at a few times while the build runs.
    for _ in 0..3 {
        platform.routes.looked_at().await;
    }
    assert_eq!(platform.environment_now(environment.id).await.state, EnvironmentState::Active);
    gate.open();
    platform.settled(building.id).await;
    age(&platform, environment.id, TimeDelta::hours(2)).await;
    is_in(&platform, environment.id, "paused").await;
}

#[tokio::test]
async fn what_a_person_paused_is_woken_by_nobody_else() {
    let platform = Platform::new("preview_paused").await;
    let previews = Previews { idle_pause_seconds: Some(HOUR), ..Previews::default() };
    let project = project(&platform, previews).await;
    let _server = platform.serve("one");
    let (environment, _) = preview(&platform, &project).await;
    age(&platform, environment.id, TimeDelta::hours(2)).await;
    is_in(&platform, environment.id, "paused").await;
    let (control, owner) = (&platform.control, &platform.owner);
    pause_environment(control, owner, environment.id, Expected::Any).await.unwrap();
    wake_environment(control, &environment.host).await.unwrap();
    let now = platform.environment_now(environment.id).await;
    assert_eq!(now.state, EnvironmentState::Paused { by: PausedBy::Person });
    route_is(&platform, &environment, &RouteTarget::Paused).await;
    resume_environment(control, owner, environment.id, Expected::Any).await.unwrap();
    is_in(&platform, environment.id, "active").await;
}

#[tokio::test]
async fn previews_get_no_variable_that_is_not_for_them() {
    let platform = Platform::new("preview_variables").await;
    let project = project(&platform, Previews::default()).await;
    let (control, owner) = (&platform.control, &platform.owner);
    let put = |key: &str, value: &str, previews| PutEnvVar {
        key: key.parse().unwrap(),
        value: value.into(),
        environment_id: None,
        previews,
    };
    for new in [
        put("SHARED", "for all", None),
        put("LIVE_KEY", "not for previews", Some(false)),
        // Setting it anew leaves that as it is.
        put("LIVE_KEY", "nor this", None),
    ] {
        put_env_var(control, owner, project.id, new).await.unwrap();
    }
    let _server = platform.serve("one");
    let (_, deployment) = preview(&platform, &project).await;
    platform.push('b');
    let (_, of_main) = platform.environment(&project).await;
    platform.settled(of_main.id).await;
    let seen = |deployment: &Deployment| {
        let request = platform.engine.app_request(deployment.id).unwrap();
        let mut seen: Vec<(String, String)> = request
            .variables
            .iter()
            .map(|it| (it.key.to_string(), it.value.expose_secret().to_owned()))
            .collect();
        seen.sort();
        seen
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(seen(&deployment), [pair("SHARED", "for all")]);
    assert_eq!(seen(&of_main), [pair("LIVE_KEY", "nor this"), pair("SHARED", "for all")]);
    let build = platform.engine.build_request(deployment.build_id).unwrap();
    assert_eq!(build.variables.len(), 1);
}
