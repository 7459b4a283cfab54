//! Projects: names, slugs, sources.

use windlass_control::{
    ControlError, CreateProject, Expected, create_environment, create_project, update_project,
};
use windlass_domain::{ProjectChange, ProjectSettings};

use crate::support::{Platform, main};

#[tokio::test]
async fn equal_names_get_slugs_of_their_own() {
    let platform = Platform::new("slugs").await;
    let (first, second) = (platform.project("Shop").await, platform.project("Shop").await);
    assert_eq!(first.slug.as_str(), "shop");
    assert!(second.slug.as_str().starts_with("shop-"), "{}", second.slug);
}

#[tokio::test]
async fn a_path_on_the_servers_disk_is_refused_unless_it_is_allowed() {
    let platform = Platform::new("local_path").await;
    let new = CreateProject {
        name: "Local".parse().unwrap(),
        git_url: "/srv/git/shop".parse().unwrap(),
        github_repo: None,
        default_branch: main(),
        settings: ProjectSettings::default(),
    };
    let refused = create_project(&platform.control, &platform.owner, new).await;
    assert!(matches!(refused, Err(ControlError::Invalid { field: "git_url", .. })), "{refused:?}");
}

#[tokio::test]
async fn a_change_must_be_of_the_version_that_was_read() {
    let platform = Platform::new("versions").await;
    let project = platform.project("Shop").await;
    let rename =
        |change: ProjectChange| Ok(ProjectChange { name: "Store".parse().unwrap(), ..change });
    let (control, owner) = (&platform.control, &platform.owner);
    let changed = update_project(control, owner, project.id, Expected::Version(1), rename).await;
    let changed = changed.unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.slug.as_str(), changed.version),
        ("Store", "shop", 2)
    );
    let stale = update_project(control, owner, project.id, Expected::Version(1), rename).await;
    assert!(matches!(stale, Err(ControlError::Changed)), "{stale:?}");
}

#[tokio::test]
async fn a_branch_has_one_environment() {
    let platform = Platform::new("one_env").await;
    let project = platform.project("Shop").await;
    platform.environment(&project).await;
    let again = create_environment(&platform.control, &platform.owner, project.id, main()).await;
    assert!(matches!(again, Err(ControlError::Conflict { code: "taken", .. })), "{again:?}");
}
