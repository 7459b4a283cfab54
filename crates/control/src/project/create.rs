//! Creates a project.

use windlass_auth::{Permission, Target};
use windlass_domain::{
    Amounts, BranchName, GitUrl, GithubRepo, Name, NewProject, Project, ProjectSettings, Slug,
};
use windlass_storage::StoreError;

use crate::{Caller, Control, ControlError, project::check_source, quota};

/// How often a slug is tried with another suffix before it is a fault of ours.
const SLUG_ATTEMPTS: usize = 8;

/// What to create.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateProject {
    /// Its name; the slug is made from it.
    pub name: Name,
    /// Where its source is fetched from.
    pub git_url: GitUrl,
    /// The repository on GitHub that `git_url` was derived from.
    pub github_repo: Option<GithubRepo>,
    /// The branch that is deployed when none is named.
    pub default_branch: BranchName,
    /// How it is built and run.
    pub settings: ProjectSettings,
}

/// Creates a project. A slug that is taken gets a short suffix.
pub async fn create_project(
    control: &Control,
    caller: &Caller,
    new: CreateProject,
) -> Result<Project, ControlError> {
    let grant =
        caller.may(Permission::ProjectsWrite, Target::organization(caller.organization()))?;
    check_source(control, &new.git_url)?;

    let CreateProject { name, git_url, github_repo, default_branch, settings } = new;
    let slug = Slug::from_text(name.as_str(), "project");
    let mut project = Project::create(
        NewProject {
            organization_id: caller.organization(),
            name,
            slug: slug.clone(),
            git_url,
            github_repo,
            default_branch,
            settings,
        },
        control.fx(),
    );
    let mut uow = control.store().write().await?;
    let one = Amounts { projects: 1, ..Amounts::default() };
    quota::take(control, &mut *uow, project.organization_id, one).await?;
    let mut attempts = 1;
    while let Err(err) = uow.projects().insert(&project).await {
        if !matches!(err, StoreError::Taken("slug")) || SLUG_ATTEMPTS <= attempts {
            return Err(err.into());
        }
        attempts += 1;
        project.slug = slug.with_suffix(&suffix(control));
    }
    control.write_down(&mut *uow, caller.did(grant, project.id)).await?;
    uow.commit().await?;

    tracing::info!(project.id = %project.id, "project created");
    Ok(project)
}

/// Four letters and digits that nobody can mistake for one another.
pub(crate) fn suffix(control: &Control) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = [0; 4];
    control.fx().entropy.fill(&mut random);
    let letter = |byte: u8| ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
    random.into_iter().map(letter).map(char::from).collect()
}
