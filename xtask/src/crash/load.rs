//! The load: commits, redeploys and cancels on several branches of several repositories.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::json;
use tokio::sync::watch;

use super::readers::Readers;
use crate::{
    client::{Client, is_conflict, is_passing},
    dice::Dice,
    git::Repository,
    server::Playground,
};

const REPOSITORIES: [&str; 2] = ["red", "blue"];
const BRANCHES: [&str; 2] = ["main", "next"];

/// A version whose build fails has this in its name.
const BAD: &str = "bad";

/// A build with a few lines over a second. It fails where the version wants it to.
const BUILD: &str = r#"version=$(cat VERSION)
for i in $(seq 1 20); do echo "line $i of $version"; sleep 0.04; done
case $version in *bad*) echo "this version does not build" >&2; exit 1;; esac
echo "version $version" > index.html
"#;

/// A branch, and the environment that it is deployed to.
#[derive(Clone)]
pub(super) struct Target {
    /// The branch, with its repository.
    pub(super) name: String,
    /// The environment's id.
    pub(super) environment: String,
    /// Where its app answers.
    pub(super) url: String,
    branch: &'static str,
    repository: Arc<Mutex<Repository>>,
    /// Which version each commit is.
    versions: Arc<Mutex<BTreeMap<String, String>>>,
}

/// Works on one branch until it is told to stop.
pub(super) struct Driver {
    pub(super) client: Client,
    pub(super) readers: Readers,
    pub(super) target: Target,
    pub(super) dice: Dice,
}

/// Makes the repositories, their projects and environments, and deploys each branch once.
pub(super) async fn targets(
    playground: &Playground,
    client: &Client,
    readers: &Readers,
) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for name in REPOSITORIES {
        let repository = Repository::of_example("hello", playground.path().join(name))?;
        repository.write("build.sh", BUILD)?;
        let body = json!({
            "name": name,
            "git_url": repository.path(),
            "build_command": "sh build.sh",
            "start_command": "exec python3 app.py",
        });
        let project = client.create_project(&body).await?;
        let repository = Arc::new(Mutex::new(repository));
        for branch in BRANCHES {
            let mut target = Target {
                name: format!("{name}/{branch}"),
                environment: String::new(),
                url: String::new(),
                branch,
                repository: repository.clone(),
                versions: Arc::default(),
            };
            if branch != "main" {
                lock(&repository).branch(branch)?;
            }
            target.commit(&format!("{name}-{branch}-first"))?;
            let environment = client.create_environment(&project, branch).await?;
            let first = environment.latest_deployment.context("nothing is deployed")?;
            readers.follow(&first.id);
            client.live(&first.id).await?;
            target.environment = environment.id;
            target.url = environment.url;
            targets.push(target);
        }
    }
    Ok(targets)
}

impl Target {
    /// The version that a commit is.
    pub(super) fn version(&self, commit: &str) -> Option<String> {
        lock(&self.versions).get(commit).cloned()
    }

    fn commit(&self, version: &str) -> anyhow::Result<()> {
        // Branches of a repository share its work tree.
        let repository = lock(&self.repository);
        repository.switch(self.branch)?;
        repository.write("VERSION", version)?;
        let commit = repository.commit(version)?;
        lock(&self.versions).insert(commit, version.to_owned());
        Ok(())
    }
}

impl Driver {
    /// Returns how many deployments it has asked for.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) -> anyhow::Result<u64> {
        let mut asked = 0;
        while !*stop.borrow() {
            self.push(asked).await.with_context(|| format!("pushing to {}", self.target.name))?;
            asked += 1;
            let pause = self.dice.millis(200, 2_500);
            // An error means that nobody can tell us to stop any more.
            let _ = tokio::time::timeout(pause, stop.changed()).await;
        }
        Ok(asked)
    }

    /// A commit or none, a deployment, and now and then a change of mind.
    async fn push(&mut self, number: u64) -> anyhow::Result<()> {
        if !self.dice.one_in(5) {
            let kind = if self.dice.one_in(6) { BAD } else { "good" };
            let name = self.target.name.replace('/', "-");
            self.target.commit(&format!("{name}-{kind}-{number}"))?;
        }
        let deployment = patiently(|| self.client.rebuild(&self.target.environment)).await?;
        self.readers.follow(&deployment.id);
        if self.dice.one_in(4) {
            tokio::time::sleep(self.dice.millis(0, 1_500)).await;
            let cancelled = patiently(|| self.client.cancel(&deployment.id)).await;
            // It may have ended before.
            if let Err(error) = cancelled
                && !is_conflict(&error)
            {
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Calls again while the server is away. What was carried out without an answer is done twice.
async fn patiently<T, F: Future<Output = anyhow::Result<T>>>(
    call: impl Fn() -> F,
) -> anyhow::Result<T> {
    loop {
        match call().await {
            Err(error) if is_passing(&error) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            outcome => return outcome,
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
