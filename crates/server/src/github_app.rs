//! Connects what the use cases want of a host of sources with this server's GitHub App.

use std::{collections::HashMap, fs, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;
use windlass_control::{
    Presence, Report, ReportedState, SourceAccounts, SourceHost, SourceHostError, SourceHosting,
};
use windlass_domain::{Clock, EnvironmentKind, GitUrl, GithubRepo, OrganizationId};
use windlass_engine::SourceCredential;
use windlass_github_app::{
    CommitState, CommitStatus, DeploymentReport, DeploymentState, GitHubApp, GitHubAppConfig,
    GitHubAppError, InstallationToken, PreviewComment, preview_comment,
};
use windlass_http::AppAddress;

use crate::config::{Config, GithubApp};

/// The user name that goes with an installation's token.
const USERNAME: &str = "x-access-token";
/// How long one request to GitHub may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The App of this server, if it has one.
pub(crate) fn open(
    config: &Config,
    apps: AppAddress,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Option<SourceHosting>> {
    let github = &config.github;
    let GithubApp { id, private_key_file, .. } = &github.app;
    if *id == 0 {
        return Ok(None);
    }
    let private_key: SecretString = fs::read_to_string(private_key_file)
        .with_context(|| {
            format!(
                "github.app.private_key_file: the file {} cannot be read",
                private_key_file.display()
            )
        })?
        .into();
    let app_config = GitHubAppConfig {
        app_id: *id,
        private_key,
        api: github.api_url.parse::<Url>().context("github.api_url")?,
        timeout: TIMEOUT,
    };
    let app = GitHubApp::new(&app_config, clock).context("the section [github.app]")?;
    let public_url = config.server.public_url.as_str();
    let public_url = if public_url.is_empty() {
        None
    } else {
        let text = format!("{}/", public_url.trim_end_matches('/'));
        Some(text.parse::<Url>().context("server.public_url")?)
    };
    let url = format!("{}/", github.url.trim_end_matches('/'));
    let host = GithubHost { app, url, apps, public_url };
    Ok(Some(SourceHosting { host: Arc::new(host), accounts: accounts(&github.app)? }))
}

/// Which organizations may make use of the App, for which accounts.
pub(crate) fn accounts(app: &GithubApp) -> anyhow::Result<SourceAccounts> {
    let mut accounts = HashMap::new();
    for (account, organizations) in &app.accounts {
        ensure!(
            !account.is_empty() && !account.contains('/'),
            "github.app.accounts: `{account}` must be the name of an account, as in \
             `https://github.com/ACCOUNT`"
        );
        let ids = organizations.iter().map(|id| {
            id.parse::<OrganizationId>().with_context(|| {
                format!("github.app.accounts.{account}: `{id}` must be an organization's id")
            })
        });
        accounts.insert(account.clone(), ids.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(SourceAccounts::new(accounts))
}

/// GitHub, as the use cases see it.
struct GithubHost {
    app: GitHubApp,
    /// How addresses of repositories there begin.
    url: String,
    apps: AppAddress,
    /// Where everybody reaches the API, if that is known.
    public_url: Option<Url>,
}

#[async_trait]
impl SourceHost for GithubHost {
    fn repository_of(&self, source: &GitUrl) -> Option<GithubRepo> {
        repository_of(&self.url, source)
    }

    async fn clone_credential(
        &self,
        repository: &GithubRepo,
    ) -> Result<SourceCredential, SourceHostError> {
        let given = self.app.clone_token(repository, None).await.map_err(host_error)?;
        let InstallationToken { token, .. } = given;
        Ok(SourceCredential { username: USERNAME.to_owned(), password: token })
    }

    async fn report(&self, report: &Report) -> Result<(), SourceHostError> {
        let marked = self.mark_commit(report).await;
        let shown = self.show_deployment(report).await.and(marked);
        // Where one permission is missing, the others may be there. Where nobody answers, or too
        // much was asked, all of it is asked again later.
        if matches!(shown, Err(SourceHostError::Unavailable { .. })) {
            return shown;
        }
        self.comment(report).await.and(shown)
    }
}

impl GithubHost {
    async fn mark_commit(&self, report: &Report) -> Result<(), SourceHostError> {
        if !report.marks_commit {
            return Ok(());
        }
        let status = CommitStatus {
            state: match report.state {
                ReportedState::Building | ReportedState::Starting => CommitState::Pending,
                ReportedState::Live | ReportedState::Replaced => CommitState::Success,
                ReportedState::Failed => CommitState::Failure,
                ReportedState::Cancelled => CommitState::Error,
            },
            context: format!("windlass/{}", report.branch),
            description: description(report),
            target_url: self.log(report),
        };
        let set = self.app.set_commit_status(&report.repository, &report.commit, &status).await;
        set.map_err(host_error)
    }

    async fn show_deployment(&self, report: &Report) -> Result<(), SourceHostError> {
        let state = match report.state {
            _ if report.presence == Presence::Gone => DeploymentState::Inactive,
            ReportedState::Building | ReportedState::Starting => DeploymentState::InProgress,
            ReportedState::Live => DeploymentState::Success,
            ReportedState::Replaced => DeploymentState::Inactive,
            ReportedState::Failed => DeploymentState::Failure,
            ReportedState::Cancelled => DeploymentState::Error,
        };
        let shown = DeploymentReport {
            key: report.deployment.to_string(),
            commit: report.commit.clone(),
            environment: report.host.to_string(),
            production: report.kind == EnvironmentKind::Persistent,
            transient: report.kind == EnvironmentKind::Preview,
            state,
            description: description(report),
            log_url: self.log(report),
            environment_url: self.address(report).filter(|_| state == DeploymentState::Success),
        };
        let shown = self.app.report_deployment(&report.repository, &shown).await;
        shown.map_err(host_error)
    }

    async fn comment(&self, report: &Report) -> Result<(), SourceHostError> {
        if report.kind != EnvironmentKind::Preview || !report.is_newest {
            return Ok(());
        }
        let (address, log) = (self.address(report), self.log(report));
        let body = preview_comment(&PreviewComment {
            environment: report.branch.as_str(),
            state: &description(report),
            address: address.as_ref().filter(|_| report.presence == Presence::App),
            commit: &report.commit,
            log: log.as_ref(),
            updated_at: report.updated_at,
        });
        let marker = report.environment.to_string();
        let pulls = self.app.pull_requests_of(&report.repository, &report.branch).await;
        for number in pulls.map_err(host_error)? {
            let said = self.app.comment_once(&report.repository, number, &marker, &body).await;
            said.map_err(host_error)?;
        }
        Ok(())
    }

    fn log(&self, report: &Report) -> Option<Url> {
        let path = format!("api/deployments/{}/logs", report.deployment);
        self.public_url.as_ref()?.join(&path).ok()
    }

    fn address(&self, report: &Report) -> Option<Url> {
        self.apps.url(&report.host).parse().ok()
    }
}

/// How it stands, in a sentence.
fn description(report: &Report) -> String {
    let what = match report.state {
        _ if report.presence == Presence::Gone => return "The environment is gone".to_owned(),
        ReportedState::Building => "Building",
        ReportedState::Starting => "Starting",
        ReportedState::Live => "Live",
        ReportedState::Replaced => "Replaced by a later deployment",
        ReportedState::Failed => "Failed",
        ReportedState::Cancelled => "Cancelled",
    };
    match &report.reason {
        Some(reason) => format!("{what}: {reason}"),
        None => what.to_owned(),
    }
}

fn repository_of(url: &str, source: &GitUrl) -> Option<GithubRepo> {
    let beginning = source.as_str().get(..url.len())?;
    // The path of an address is as it is, its host in any capitals.
    let path = source.as_str().get(url.len()..)?.trim_end_matches('/');
    let name = path.strip_suffix(".git").unwrap_or(path);
    if beginning.eq_ignore_ascii_case(url) { name.parse().ok() } else { None }
}

fn host_error(err: GitHubAppError) -> SourceHostError {
    let message = err.to_string();
    match err {
        GitHubAppError::Refused { message, .. } => SourceHostError::Refused(message),
        GitHubAppError::RateLimited { retry_at } => {
            SourceHostError::Unavailable { message, retry_at: Some(retry_at) }
        }
        GitHubAppError::Unavailable { .. } => {
            SourceHostError::Unavailable { message, retry_at: None }
        }
        GitHubAppError::Misconfigured(_) => SourceHostError::Misconfigured(message),
    }
}

#[cfg(test)]
mod tests {
    use super::repository_of;

    #[test]
    fn only_addresses_at_github_name_its_repositories() {
        let found = |text: &str| {
            let repository = repository_of("https://github.com/", &text.parse().unwrap());
            repository.map(|repository| repository.to_string())
        };
        for text in [
            "https://github.com/octo/shop.git",
            "https://github.com/octo/shop",
            "https://github.com/octo/shop/",
            "https://GitHub.com/octo/shop.git",
        ] {
            assert_eq!(found(text).as_deref(), Some("octo/shop"), "{text}");
        }
        for text in [
            "http://github.com/octo/shop.git",
            "https://github.com.example.com/octo/shop.git",
            "https://github.com:8443/octo/shop.git",
            "https://github.com/octo",
            "https://github.com/octo/shop/more",
            "https://github.com/octo/../../x",
            "git@github.com:octo/shop.git",
            "ssh://git@github.com/octo/shop.git",
            "/srv/octo/shop",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
