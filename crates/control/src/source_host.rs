//! A host of sources that gives more to some than to everybody: private repositories.
//!
//! It knows this server as one, whosever project it is. So it is decided here which organization
//! may make use of that: otherwise one could fetch what is another's by naming it.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_domain::{
    BranchName, CommitId, Deployment, DeploymentId, EnvironmentId, EnvironmentKind, GitUrl,
    GithubRepo, HostLabel, Job, JobKind, NewJob, OrganizationId, Project,
};
use windlass_engine::SourceCredential;
use windlass_storage::{Signal, StoreError, UnitOfWork};

use crate::Control;

/// How often a report is begun before it is given up.
const REPORT_ATTEMPTS: u32 = 4;

/// What a host of sources does for us: GitHub, where this server is an App.
#[async_trait]
pub trait SourceHost: Send + Sync {
    /// Which repository of this host an address names. Nothing for one of another host, and for
    /// one over which no credential may be sent.
    fn repository_of(&self, source: &GitUrl) -> Option<GithubRepo>;

    /// With what this repository can be fetched.
    async fn clone_credential(
        &self,
        repository: &GithubRepo,
    ) -> Result<SourceCredential, SourceHostError>;

    /// Shows how a deployment stands. What was shown before is changed, and shown twice it is the
    /// same.
    async fn report(&self, report: &Report) -> Result<(), SourceHostError>;
}

/// How a deployment stands, for the host of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The repository.
    pub repository: GithubRepo,
    /// The deployment.
    pub deployment: DeploymentId,
    /// Its environment.
    pub environment: EnvironmentId,
    /// The first label of the environment's address.
    pub host: HostLabel,
    /// The environment's branch.
    pub branch: BranchName,
    /// What is deployed.
    pub commit: CommitId,
    /// Whether the environment lasts.
    pub kind: EnvironmentKind,
    /// What is at the environment's address.
    pub presence: Presence,
    /// Whether no later deployment is of this commit.
    pub marks_commit: bool,
    /// Whether the environment has no later deployment.
    pub is_newest: bool,
    /// How it stands.
    pub state: ReportedState,
    /// Why it has failed or was called off.
    pub reason: Option<String>,
    /// Since when that is so.
    pub updated_at: DateTime<Utc>,
}

/// What is at an environment's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// An app, be it another deployment's.
    App,
    /// Nothing yet, or not now.
    Nothing,
    /// Nothing any more: the environment has been destroyed.
    Gone,
}

/// How a deployment stands that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportedState {
    /// Its build runs.
    Building,
    /// Its app is being started.
    Starting,
    /// Its app answers.
    Live,
    /// Its app answered once.
    Replaced,
    /// It could not be built or started, or its app kept crashing.
    Failed,
    /// It was called off.
    Cancelled,
}

/// Why a host did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceHostError {
    /// Asking again does not help before somebody has changed something. The text is for the
    /// people of the project.
    #[error("{0}")]
    Refused(String),
    /// It does not answer now. The text is for the people of the project.
    #[error("{message}")]
    Unavailable {
        /// What happened instead.
        message: String,
        /// When it may be asked again, where it says so.
        retry_at: Option<DateTime<Utc>>,
    },
    /// A fault of this server's settings. The text is for the operator.
    #[error("{0}")]
    Misconfigured(String),
}

/// A host of sources, and for whom it may be asked.
#[derive(Clone)]
pub struct SourceHosting {
    /// The host.
    pub host: Arc<dyn SourceHost>,
    /// For whom.
    pub accounts: SourceAccounts,
}

/// Which organizations may make use of what accounts of a host have opened to this server.
///
/// Where no account is named, only the first organization may, and for all accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceAccounts(HashMap<String, Vec<OrganizationId>>);

impl SourceAccounts {
    /// By the name of each account, whose capitals do not matter.
    #[must_use]
    pub fn new(accounts: HashMap<String, Vec<OrganizationId>>) -> Self {
        let mut known = HashMap::<String, Vec<OrganizationId>>::new();
        for (account, organizations) in accounts {
            known.entry(account.to_ascii_lowercase()).or_default().extend(organizations);
        }
        Self(known)
    }

    async fn allow(
        &self,
        uow: &mut dyn UnitOfWork,
        organization: OrganizationId,
        repository: &GithubRepo,
    ) -> Result<bool, StoreError> {
        if self.0.is_empty() {
            let first = uow.organizations().first_of_everyone().await?;
            return Ok(first.is_some_and(|first| first.id == organization));
        }
        let account = repository.owner().to_ascii_lowercase();
        Ok(self.0.get(&account).is_some_and(|allowed| allowed.contains(&organization)))
    }
}

/// Why it cannot be told now as whom a source is asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The host does not answer. The text is for the people of the project.
    #[error("{0}")]
    Unavailable(String),
}

/// As whom a project's source is asked for.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) credential: Option<SourceCredential>,
    /// Why there is no credential, in case that one is needed.
    hint: Option<String>,
}

impl Access {
    /// What a refusal of the source is told with.
    pub(crate) fn explain(&self, reason: String) -> String {
        match &self.hint {
            Some(hint) => format!("{reason} ({hint})"),
            None => reason,
        }
    }
}

impl Control {
    /// The repository of a project at the host that may be asked for it, and the host.
    pub(crate) async fn hosted<'a>(
        &'a self,
        uow: &mut dyn UnitOfWork,
        project: &Project,
    ) -> Result<Hosted<'a>, StoreError> {
        let Some(SourceHosting { host, accounts }) = &self.inner.source_hosting else {
            return Ok(Hosted::Elsewhere);
        };
        let Some(repository) = host.repository_of(&project.git_url) else {
            return Ok(Hosted::Elsewhere);
        };
        if accounts.allow(uow, project.organization_id, &repository).await? {
            Ok(Hosted::Ours(&**host, repository))
        } else {
            Ok(Hosted::OfOthers(repository))
        }
    }

    /// Sees to it that the host of its source is told how a deployment stands, if it may be.
    pub(crate) async fn enqueue_report(
        &self,
        uow: &mut dyn UnitOfWork,
        deployment: &Deployment,
    ) -> Result<(), StoreError> {
        if self.inner.source_hosting.is_none() {
            return Ok(());
        }
        let organization_id = deployment.organization_id;
        let project = uow.projects().find(organization_id, deployment.project_id).await?;
        let Some(project) = project else { return Ok(()) };
        if !matches!(self.hosted(uow, &project).await?, Hosted::Ours(..)) {
            return Ok(());
        }
        // One that waits will look when this has been committed; one that is at work may have
        // looked before.
        let kind = JobKind::ReportDeployment { deployment_id: deployment.id };
        if uow.jobs().find_queued_for_update(kind).await?.is_some() {
            return Ok(());
        }
        let new = NewJob {
            organization_id,
            lane: None,
            kind,
            max_attempts: REPORT_ATTEMPTS,
            request_id: None,
        };
        uow.jobs().insert(&Job::enqueue(new, self.fx())).await?;
        uow.signal(Signal::Jobs);
        Ok(())
    }

    /// As whom a project's source is asked for. A host that gives nothing may still give to
    /// everybody what is wanted: git finds out.
    pub(crate) async fn source_access(&self, project: &Project) -> Result<Access, AccessError> {
        let mut uow = self.store().read().await?;
        let hosted = self.hosted(&mut *uow, project).await?;
        drop(uow);
        let (host, repository) = match hosted {
            Hosted::Ours(host, repository) => (host, repository),
            Hosted::OfOthers(repository) => {
                let hint = format!(
                    "this organization may not use the server's GitHub App for repositories of \
                     `{}`; the operator can allow it",
                    repository.owner()
                );
                return Ok(Access { credential: None, hint: Some(hint) });
            }
            Hosted::Elsewhere => return Ok(Access::default()),
        };
        let hint = match host.clone_credential(&repository).await {
            Ok(credential) => return Ok(Access { credential: Some(credential), hint: None }),
            Err(SourceHostError::Unavailable { message, .. }) => {
                return Err(AccessError::Unavailable(message));
            }
            Err(SourceHostError::Refused(message)) => message,
            Err(SourceHostError::Misconfigured(message)) => {
                tracing::error!(message, "the GitHub App cannot be used");
                "the server's GitHub App cannot be used; the operator finds the cause in the \
                 server's log"
                    .to_owned()
            }
        };
        Ok(Access { credential: None, hint: Some(hint) })
    }
}

/// Where the source of a project is.
pub(crate) enum Hosted<'a> {
    /// At a host that may be asked for this project.
    Ours(&'a dyn SourceHost, GithubRepo),
    /// At a host that may not be asked for this project.
    OfOthers(GithubRepo),
    /// At no host that we know.
    Elsewhere,
}
