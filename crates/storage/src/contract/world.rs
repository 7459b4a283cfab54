//! Things to store, and the time at which it happens.

use std::{pin::pin, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use windlass_auth::{
    ApiKeyRecord, InvitationRecord, Membership, NewInvitation, Role, TokenPurpose, TokenRecord,
};
use windlass_domain::{
    Build, BuildResources, Clock, CommandLine, CommitId, Deployment, DeploymentKind, Effects,
    EnvVar, Environment, EnvironmentId, EnvironmentKind, Hooks, Id, Job, JobKind, JobState,
    NewBuild, NewDeployment, NewEnvironment, NewJob, NewProject, Organization, Previews, Project,
    ProjectSettings, Resources, SealedValue, Services, Trigger, User, WorkerId,
    test_util::{CountingEntropy, ManualClock},
};

use crate::{Lanes, LeaseRequest, Store, UnitOfWork};

/// A store, and the time and randomness of the test.
pub(super) struct World<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) clock: ManualClock,
    entropy: CountingEntropy,
}

impl<'a> World<'a> {
    pub(super) fn new(store: &'a dyn Store) -> Self {
        Self { store, clock: ManualClock::default(), entropy: CountingEntropy::default() }
    }

    pub(super) fn fx(&self) -> Effects<'_> {
        self.entropy.with(&self.clock)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Lets a second pass.
    pub(super) fn tick(&self) -> DateTime<Utc> {
        self.clock.advance(TimeDelta::seconds(1));
        self.now()
    }

    pub(super) async fn read(&self) -> Box<dyn UnitOfWork> {
        self.store.read().await.unwrap()
    }

    pub(super) async fn write(&self) -> Box<dyn UnitOfWork> {
        self.store.write().await.unwrap()
    }

    pub(super) async fn organization(&self) -> Organization {
        let organization = Organization::create("Acme".parse().unwrap(), self.fx());
        let mut uow = self.write().await;
        uow.organizations().insert(&organization).await.unwrap();
        uow.commit().await.unwrap();
        organization
    }

    pub(super) async fn owner(&self, organization: &Organization) -> User {
        let user = User::create("Ada".parse().unwrap(), self.fx());
        let membership =
            Membership { organization_id: organization.id, user_id: user.id, role: Role::Owner };
        let mut uow = self.write().await;
        uow.organizations().insert_user(&user).await.unwrap();
        uow.organizations().insert_membership(&membership).await.unwrap();
        uow.commit().await.unwrap();
        user
    }

    pub(super) fn new_api_key(
        &self,
        organization: &Organization,
        user: &User,
        lookup: &str,
    ) -> ApiKeyRecord {
        ApiKeyRecord {
            id: Id::generate(self.fx()),
            organization_id: organization.id,
            lookup: lookup.to_owned(),
            prefix: format!("wl_{lookup}"),
            hash: "$2b$10$hash".to_owned(),
            name: "CI".parse().unwrap(),
            scopes: vec!["projects:read".to_owned(), "deployments:write".to_owned()],
            project_ids: Some(vec![Id::generate(self.fx()), Id::generate(self.fx())]),
            allowed_addresses: Some(vec!["203.0.113.0/24".parse().unwrap()]),
            imported_start: None,
            created_by: user.id,
            created_at: self.now(),
            expires_at: Some(self.now() + TimeDelta::days(30)),
            revoked_at: None,
            last_used_at: None,
        }
    }

    pub(super) fn new_token(&self, organization: &Organization, user: &User) -> TokenRecord {
        TokenRecord {
            id: Id::generate(self.fx()),
            organization_id: organization.id,
            label: "Größe & Co".parse().unwrap(),
            purpose: TokenPurpose::Delegation,
            revocation_id: "00ff".repeat(32),
            created_by: user.id,
            created_at: self.now(),
            expires_at: self.now() + TimeDelta::days(1000),
            revoked_at: None,
        }
    }

    pub(super) fn new_invitation(
        &self,
        organization: &Organization,
        user: &User,
        email: &str,
    ) -> InvitationRecord {
        let (email, role, life) = (email.parse().unwrap(), Role::Admin, NewInvitation::LIFE);
        NewInvitation { email, role, life }.mint(organization.id, user.id, self.fx()).record
    }

    pub(super) fn new_project(&self, organization: &Organization, slug: &str) -> Project {
        let new = NewProject {
            organization_id: organization.id,
            name: "Größe & Co".parse().unwrap(),
            slug: slug.parse().unwrap(),
            git_url: "https://git.example.com/shop.git".parse().unwrap(),
            github_repo: Some("octocat/shop".parse().unwrap()),
            default_branch: "main".parse().unwrap(),
            settings: ProjectSettings {
                dockerfile: None,
                build_context: Some("web".to_owned()),
                services: Services { postgres: true, ..Services::default() },
                build_command: Some("make\nmake install".parse::<CommandLine>().unwrap()),
                start_command: None,
                health_path: Some("/healthz".to_owned()),
                port: Some(8_080),
                resources: Resources { cpu_millis: Some(500), memory_mb: None },
                build_resources: BuildResources {
                    timeout_seconds: Some(60),
                    ..BuildResources::default()
                },
                previews: Previews {
                    branches: vec!["feature/**".parse().unwrap()],
                    ttl_seconds: Some(3_600),
                    ..Previews::default()
                },
                hooks: Hooks {
                    on_new: None,
                    on_deploy: Some("make migrate".parse::<CommandLine>().unwrap()),
                },
            },
        };
        Project::create(new, self.fx())
    }

    pub(super) async fn project(&self, organization: &Organization, slug: &str) -> Project {
        let project = self.new_project(organization, slug);
        let mut uow = self.write().await;
        uow.projects().insert(&project).await.unwrap();
        uow.commit().await.unwrap();
        project
    }

    pub(super) fn new_environment(
        &self,
        project: &Project,
        branch: &str,
        host: &str,
    ) -> Environment {
        let new = NewEnvironment {
            organization_id: project.organization_id,
            project_id: project.id,
            branch: branch.parse().unwrap(),
            kind: EnvironmentKind::Persistent,
            host: host.parse().unwrap(),
        };
        Environment::create(new, self.fx())
    }

    pub(super) async fn environment(&self, project: &Project, branch: &str) -> Environment {
        let host = format!("{branch}-{}", project.slug);
        let environment = self.new_environment(project, branch, &host);
        let mut uow = self.write().await;
        uow.environments().insert(&environment).await.unwrap();
        uow.commit().await.unwrap();
        environment
    }

    /// An organization with a project with an environment.
    pub(super) async fn tenant(&self, slug: &str) -> (Organization, Project, Environment) {
        let organization = self.organization().await;
        let project = self.project(&organization, slug).await;
        let environment = self.environment(&project, "main").await;
        (organization, project, environment)
    }

    pub(super) fn new_build(&self, environment: &Environment, number: u64) -> Build {
        let new = NewBuild {
            organization_id: environment.organization_id,
            project_id: environment.project_id,
            environment_id: environment.id,
            number,
            restart_of: None,
        };
        Build::request(new, self.fx())
    }

    pub(super) async fn build(&self, environment: &Environment) -> Build {
        let mut uow = self.write().await;
        let number =
            uow.organizations().next_build_number(environment.organization_id).await.unwrap();
        let build = self.new_build(environment, number);
        uow.builds().insert(&build).await.unwrap();
        uow.commit().await.unwrap();
        build
    }

    pub(super) fn new_deployment(&self, environment: &Environment, build: &Build) -> Deployment {
        let new = NewDeployment {
            organization_id: environment.organization_id,
            project_id: environment.project_id,
            environment_id: environment.id,
            kind: DeploymentKind::Incremental,
            trigger: Trigger::Rebuild,
            requested_by: "api key `CI`".to_owned(),
            commit: None,
            build_id: build.id,
        };
        Deployment::request(new, self.fx())
    }

    /// A queued deployment with its build.
    pub(super) async fn deployment(&self, environment: &Environment) -> Deployment {
        let build = self.build(environment).await;
        let deployment = self.new_deployment(environment, &build);
        let mut uow = self.write().await;
        uow.deployments().insert(&deployment).await.unwrap();
        uow.commit().await.unwrap();
        deployment
    }

    pub(super) async fn update_deployment(&self, deployment: &Deployment) {
        let mut uow = self.write().await;
        uow.deployments().update(deployment).await.unwrap();
        uow.commit().await.unwrap();
    }

    pub(super) fn new_env_var(
        &self,
        project: &Project,
        environment: Option<EnvironmentId>,
        key: &str,
    ) -> EnvVar {
        EnvVar {
            id: Id::generate(self.fx()),
            organization_id: project.organization_id,
            project_id: project.id,
            environment_id: environment,
            previews: environment.is_some(),
            key: key.parse().unwrap(),
            value: SealedValue { key_id: u32::MAX, bytes: vec![0, 255, 128, 7] },
            created_at: self.now(),
            updated_at: self.now(),
        }
    }

    pub(super) async fn env_var(
        &self,
        project: &Project,
        environment: Option<EnvironmentId>,
        key: &str,
    ) -> EnvVar {
        let var = self.new_env_var(project, environment, key);
        let mut uow = self.write().await;
        uow.env_vars().insert(&var).await.unwrap();
        uow.commit().await.unwrap();
        var
    }

    pub(super) fn new_job(&self, organization: &Organization, lane: Option<EnvironmentId>) -> Job {
        let new = NewJob {
            organization_id: organization.id,
            lane,
            kind: JobKind::Deploy { deployment_id: Id::generate(self.fx()) },
            max_attempts: 3,
            request_id: Some("req-1".to_owned()),
        };
        Job::enqueue(new, self.fx())
    }

    pub(super) async fn job(
        &self,
        organization: &Organization,
        lane: Option<EnvironmentId>,
    ) -> Job {
        let job = self.new_job(organization, lane);
        self.insert_job(&job).await;
        job
    }

    pub(super) async fn insert_job(&self, job: &Job) {
        let mut uow = self.write().await;
        uow.jobs().insert(job).await.unwrap();
        uow.commit().await.unwrap();
    }

    pub(super) async fn update_job(&self, job: &Job) {
        let mut uow = self.write().await;
        uow.jobs().update(job).await.unwrap();
        uow.commit().await.unwrap();
    }

    /// A job in the state that it has in storage.
    pub(super) async fn job_in(&self, organization: &Organization, state: JobState) -> Job {
        let job = Job { state, ..self.new_job(organization, None) };
        self.insert_job(&job).await;
        job
    }

    pub(super) fn lease_request(&self, worker: &str) -> LeaseRequest {
        LeaseRequest {
            worker: WorkerId::new(worker.to_owned()),
            now: self.now(),
            until: self.now() + TimeDelta::seconds(30),
            slots_per_organization: 2,
            lanes: Lanes::Any,
        }
    }

    /// Leases a job in a unit of work of its own.
    pub(super) async fn lease(&self, worker: &str) -> Option<Job> {
        self.lease_by(&self.lease_request(worker)).await
    }

    pub(super) async fn lease_by(&self, request: &LeaseRequest) -> Option<Job> {
        let mut uow = self.write().await;
        let job = uow.jobs().lease_next(request).await.unwrap();
        uow.commit().await.unwrap();
        job
    }
}

pub(super) fn commit_id() -> CommitId {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

/// What the second one gets, which must wait until the first one commits.
pub(super) async fn after_commit_of<T: Send>(
    first: Box<dyn UnitOfWork>,
    second: impl Future<Output = T> + Send,
) -> T {
    let mut second = pin!(second);
    let early = tokio::time::timeout(Duration::from_millis(100), second.as_mut()).await;
    assert!(early.is_err(), "the second unit of work did not wait for the first");
    first.commit().await.unwrap();
    second.await
}
