//! A host of sources that is made of nothing but what it was asked.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use windlass_control::{Report, SourceAccounts, SourceHost, SourceHostError, SourceHosting};
use windlass_domain::{DeploymentId, GitUrl, GithubRepo, OrganizationId};
use windlass_engine::SourceCredential;

/// The password that is given.
pub(crate) const TOKEN: &str = "ghs_t0psecret";

#[derive(Default)]
pub(crate) struct FakeHost {
    asked: Mutex<Vec<String>>,
    reports: Mutex<Vec<Report>>,
    deaf: AtomicBool,
    errors: Mutex<Vec<SourceHostError>>,
}

impl FakeHost {
    /// It, for these organizations and accounts.
    pub(crate) fn hosting(self: &Arc<Self>, accounts: &[(&str, OrganizationId)]) -> SourceHosting {
        let mut known = HashMap::<String, Vec<OrganizationId>>::new();
        for (account, organization) in accounts {
            known.entry((*account).to_owned()).or_default().push(*organization);
        }
        SourceHosting { host: Arc::clone(self) as _, accounts: SourceAccounts::new(known) }
    }

    /// Its next answer is this one.
    pub(crate) fn fail_next(&self, error: SourceHostError) {
        self.errors.lock().unwrap().insert(0, error);
    }

    /// The repositories that credentials were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// From now on nothing can be reported.
    pub(crate) fn turn_deaf(&self) {
        self.deaf.store(true, Ordering::Relaxed);
    }

    /// What was reported of a deployment, without repetitions.
    pub(crate) fn reports(&self, of: DeploymentId) -> Vec<Report> {
        let all = self.reports.lock().unwrap();
        all.iter().filter(|report| report.deployment == of).cloned().collect()
    }

    fn answer(&self) -> Result<(), SourceHostError> {
        self.errors.lock().unwrap().pop().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl SourceHost for FakeHost {
    fn repository_of(&self, source: &GitUrl) -> Option<GithubRepo> {
        let path = source.as_str().strip_prefix("https://github.com/")?;
        path.strip_suffix(".git")?.parse().ok()
    }

    async fn clone_credential(
        &self,
        repository: &GithubRepo,
    ) -> Result<SourceCredential, SourceHostError> {
        self.asked.lock().unwrap().push(repository.to_string());
        self.answer()?;
        let username = "x-access-token".to_owned();
        Ok(SourceCredential { username, password: TOKEN.into() })
    }

    async fn report(&self, report: &Report) -> Result<(), SourceHostError> {
        if self.deaf.load(Ordering::Relaxed) {
            let message = "it is deaf".to_owned();
            return Err(SourceHostError::Unavailable { message, retry_at: None });
        }
        self.reports.lock().unwrap().push(report.clone());
        Ok(())
    }
}
