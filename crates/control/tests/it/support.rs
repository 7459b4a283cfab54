//! A platform under test: a database of its own, the fake engine, any number of servers.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use windlass_auth::{
    BcryptCost, HasherOptions, KeyFormat, KeyHasher, PasswordCost, PasswordHasher, PasswordOptions,
    VerifierOptions,
};
use windlass_control::{
    AttemptLimits, Caller, Control, CreateProject, Keyring, Occasion, OldKeys, Parts, Plans,
    Presentation, RouteTarget, Routes, Settings, SourceHosting, install, rotate_root_key,
};
use windlass_domain::{
    Backoff, BranchName, Build, BuildState, CommitId, Deployment, DeploymentId, Effects,
    Environment, EnvironmentId, GitUrl, HostLabel, LogId, OsEntropy, Project, ProjectSettings,
    SystemClock, WorkerId,
};
use windlass_engine::{AppLimits, BuildLimits, fake::FakeEngine};
use windlass_services::fake::FakeServices;
use windlass_storage::Store as _;
use windlass_storage_seaorm::{
    SeaStore,
    test_util::{TestStore, fresh_store},
};

/// How long anything may take, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time and randomness as they are.
pub(crate) const FX: Effects<'static> = Effects { clock: &SystemClock, entropy: &OsEntropy };

/// A platform: what servers share.
pub(crate) struct Platform {
    pub(crate) store: TestStore,
    pub(crate) engine: FakeEngine,
    pub(crate) services: FakeServices,
    pub(crate) routes: Arc<Table>,
    /// What a test asks for through the use cases.
    pub(crate) control: Control,
    /// The owner.
    pub(crate) owner: Caller,
    keyring: String,
    source_hosting: Option<SourceHosting>,
}

/// A running server; dropped, it is killed.
pub(crate) struct Server {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// How a server deals with keys.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) cost: u32,
    pub(crate) verified: VerifierOptions,
}

impl Default for Keys {
    fn default() -> Self {
        Self { cost: 4, verified: VerifierOptions::default() }
    }
}

impl Server {
    /// Starts one.
    pub(crate) fn start(control: Control) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { control.run(stop).await }
        });
        Self { stop, task }
    }

    /// Stops it as an operator would.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let mut task = self.task;
        tokio::time::timeout(PATIENCE, &mut task).await.expect("the server stops").unwrap();
    }

    /// Kills it: whatever it was doing, it does no more.
    pub(crate) fn kill(self) {
        self.task.abort();
    }
}

/// A request.
pub(crate) fn occasion() -> Occasion {
    Occasion { action: "test".into(), request_id: Some("req-1".to_owned()), address: None }
}

/// What the ingress was told last.
#[derive(Default)]
pub(crate) struct Table {
    routes: Mutex<HashMap<HostLabel, RouteTarget>>,
    visits: Mutex<HashSet<HostLabel>>,
    looks: tokio::sync::watch::Sender<u32>,
}

impl Table {
    /// Waits until a server has asked once more who was visited.
    pub(crate) async fn looked_at(&self) {
        let mut looks = self.looks.subscribe();
        looks.changed().await.unwrap();
    }

    /// A request comes.
    pub(crate) fn visit(&self, host: &HostLabel) {
        self.visits.lock().unwrap().insert(host.clone());
    }

    pub(crate) fn get(&self, host: &HostLabel) -> Option<RouteTarget> {
        self.routes.lock().unwrap().get(host).cloned()
    }
}

#[async_trait]
impl Routes for Table {
    fn replace(&self, table: HashMap<HostLabel, RouteTarget>) {
        *self.routes.lock().unwrap() = table;
    }

    async fn drained(&self, _addresses: &[SocketAddr], _at_most: Duration) {}

    fn take_visits(&self) -> HashSet<HostLabel> {
        self.looks.send_modify(|looks| *looks += 1);
        std::mem::take(&mut *self.visits.lock().unwrap())
    }
}

impl Platform {
    pub(crate) async fn new(test: &str) -> Self {
        let store = fresh_store(test).await;
        let engine = FakeEngine::new(Arc::new(SystemClock));
        let services = FakeServices::default();
        let routes = Arc::new(Table::default());
        let keyring = format!("1 {}", "5a".repeat(32));
        let control = control(&store, (&engine, &services), &routes, &keyring, "tests", settings());
        let mut key = String::new();
        install(&control, |new| {
            new.expose().clone_into(&mut key);
            Ok(())
        })
        .await
        .unwrap();
        let principal = control.authenticate(Presentation::bearer(&key)).await.unwrap();
        let owner = control.caller(principal, occasion());
        let source_hosting = None;
        Self { store, engine, services, routes, control, owner, keyring, source_hosting }
    }

    /// The same where a host of sources knows the server.
    pub(crate) async fn with_sources(test: &str, sources: SourceHosting) -> Self {
        let mut platform = Self::new(test).await;
        platform.set_sources(sources);
        platform
    }

    /// From now on a host of sources knows the server so.
    pub(crate) fn set_sources(&mut self, sources: SourceHosting) {
        self.source_hosting = Some(sources);
        self.control = self.another("tests");
    }

    /// Starts a server of this name on the platform.
    pub(crate) fn serve(&self, name: &str) -> Server {
        self.serve_with(name, settings())
    }

    /// The same with other settings.
    pub(crate) fn serve_with(&self, name: &str, settings: Settings) -> Server {
        Server::start(self.another_with(name, settings))
    }

    /// Another server of the platform, which does nothing by itself yet.
    pub(crate) fn another(&self, name: &str) -> Control {
        self.another_with(name, settings())
    }

    /// The same with other settings.
    pub(crate) fn another_with(&self, name: &str, settings: Settings) -> Control {
        let (parts, cost) = ((&self.engine, &self.services), Keys::default().cost);
        let mut parts =
            parts_with(&self.store, parts, &self.routes, &self.keyring, name, settings, cost);
        parts.source_hosting.clone_from(&self.source_hosting);
        Control::new(parts)
    }

    /// A server of its own on the platform's database, as another machine would run it, and what
    /// it can be asked. Its hashes are of another cost, and it asks again about keys that it knows
    /// after another time, where that is wanted.
    pub(crate) async fn replica(&self, name: &str, keys: Keys) -> (Control, Server) {
        let store = if self.store.is_postgres() {
            self.store.connect_again().await
        } else {
            (*self.store).clone()
        };
        let settings = Settings { verified_keys: keys.verified, ..settings() };
        let (parts, keyring) = ((&self.engine, &self.services), &self.keyring);
        let control = control_with(&store, parts, &self.routes, keyring, name, settings, keys.cost);
        (control.clone(), Server::start(control))
    }

    /// Makes a new root key as an operator would: past all servers.
    pub(crate) async fn rotate_root_key(&self, old: OldKeys) -> u32 {
        let keyring = Keyring::parse(&self.keyring.clone().into()).unwrap();
        rotate_root_key(&*self.store, &keyring, FX, old).await.unwrap().number
    }

    pub(crate) async fn project(&self, name: &str) -> Project {
        self.project_with(name, ProjectSettings::default()).await
    }

    pub(crate) async fn project_with(&self, name: &str, settings: ProjectSettings) -> Project {
        let new = new_project(name, settings);
        windlass_control::create_project(&self.control, &self.owner, new).await.unwrap()
    }

    /// A project's `main`, and its first deployment on its way.
    pub(crate) async fn environment(&self, project: &Project) -> (Environment, Deployment) {
        let detail =
            windlass_control::create_environment(&self.control, &self.owner, project.id, main())
                .await
                .unwrap();
        (detail.environment, detail.latest_deployment.unwrap())
    }

    pub(crate) async fn rebuild(&self, environment: EnvironmentId) -> Deployment {
        windlass_control::rebuild_environment(&self.control, &self.owner, environment)
            .await
            .unwrap()
    }

    /// Makes `main` point to a commit.
    pub(crate) fn push(&self, digit: char) -> CommitId {
        self.push_to("main", digit)
    }

    /// The same for any branch.
    pub(crate) fn push_to(&self, branch: &str, digit: char) -> CommitId {
        let commit: CommitId = digit.to_string().repeat(40).parse().unwrap();
        self.engine.push(&git_url(), &branch.parse().unwrap(), &commit);
        commit
    }

    pub(crate) async fn deployment(&self, id: DeploymentId) -> Deployment {
        windlass_control::get_deployment(&self.control, &self.owner, id).await.unwrap()
    }

    pub(crate) async fn environment_now(&self, id: EnvironmentId) -> Environment {
        let detail = windlass_control::get_environment(&self.control, &self.owner, id).await;
        detail.unwrap().environment
    }

    /// Waits until a deployment is live or has ended.
    pub(crate) async fn settled(&self, id: DeploymentId) -> Deployment {
        let (control, owner) = (&self.control, &self.owner);
        let waited = windlass_control::wait_for_deployment(control, owner, id, PATIENCE).await;
        let deployment = waited.unwrap();
        assert!(deployment.state.is_settled(), "it is still {}", deployment.state.name());
        deployment
    }

    pub(crate) async fn build_of(&self, deployment: &Deployment) -> Build {
        let organization = self.owner.organization();
        let mut uow = self.store.read().await.unwrap();
        uow.builds().find(organization, deployment.build_id).await.unwrap().unwrap()
    }

    /// Waits until a deployment's build has ended.
    pub(crate) async fn build_ended(&self, id: DeploymentId) -> Build {
        self.until("the build ends", || async {
            let build = self.build_of(&self.deployment(id).await).await;
            matches!(build.state, BuildState::Ended(_)).then_some(build)
        })
        .await
    }

    /// What a log says, line by line.
    pub(crate) async fn log(&self, log: LogId) -> Vec<String> {
        let mut uow = self.store.read().await.unwrap();
        let lines = uow.logs().read(log, 0, 10_000).await.unwrap();
        lines.into_iter().map(|line| line.text.as_str().to_owned()).collect()
    }

    /// Asks until there is an answer.
    pub(crate) async fn until<T, F, R>(&self, what: &str, mut ask: F) -> T
    where
        F: FnMut() -> R,
        R: Future<Output = Option<T>>,
    {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited in vain until {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A project to be made of the repository that tests push to.
pub(crate) fn new_project(name: &str, settings: ProjectSettings) -> CreateProject {
    CreateProject {
        name: name.parse().unwrap(),
        git_url: git_url(),
        github_repo: None,
        default_branch: main(),
        settings,
    }
}

pub(crate) fn main() -> BranchName {
    "main".parse().unwrap()
}

pub(crate) fn git_url() -> GitUrl {
    "https://git.example.com/shop.git".parse().unwrap()
}

fn control(
    store: &TestStore,
    parts: (&FakeEngine, &FakeServices),
    routes: &Arc<Table>,
    keyring: &str,
    name: &str,
    settings: Settings,
) -> Control {
    let cost = Keys::default().cost;
    control_with(store, parts, routes, keyring, name, settings, cost)
}

fn control_with(
    store: &SeaStore,
    parts: (&FakeEngine, &FakeServices),
    routes: &Arc<Table>,
    keyring: &str,
    name: &str,
    settings: Settings,
    cost: u32,
) -> Control {
    Control::new(parts_with(store, parts, routes, keyring, name, settings, cost))
}

fn parts_with(
    store: &SeaStore,
    parts: (&FakeEngine, &FakeServices),
    routes: &Arc<Table>,
    keyring: &str,
    name: &str,
    settings: Settings,
    cost: u32,
) -> Parts {
    let cost = BcryptCost::new(cost).unwrap();
    let (engine, services) = parts;
    Parts {
        store: Arc::new(store.clone()),
        engine: Arc::new(engine.clone()),
        services: Arc::new(services.clone()),
        routes: Arc::clone(routes) as _,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        keyring: Keyring::parse(&keyring.into()).unwrap(),
        key_format: KeyFormat::default(),
        key_hasher: KeyHasher::new(HasherOptions { cost, ..HasherOptions::default() }),
        password_hasher: password_hasher(),
        github: None,
        source_hosting: None,
        worker: WorkerId::new(name.to_owned()),
        settings,
    }
}

pub(crate) fn password_hasher() -> PasswordHasher {
    PasswordHasher::new(PasswordOptions { cost: PasswordCost::MIN, ..PasswordOptions::default() })
}

pub(crate) fn settings() -> Settings {
    Settings {
        allow_local_git: false,
        workers: 3,
        slots_per_organization: 3,
        lease: Duration::from_secs(2),
        job_attempts: 3,
        job_backoff: Backoff {
            first: TimeDelta::milliseconds(20),
            most: TimeDelta::milliseconds(100),
        },
        job_retention: TimeDelta::days(1),
        tend_previews: Duration::from_millis(50),
        delivery_retention: TimeDelta::days(30),
        build_restarts: 2,
        poll: Duration::from_millis(200),
        reconcile: Duration::from_millis(200),
        build_limits: BuildLimits {
            cpu_millis: 1_000,
            memory_bytes: 1 << 30,
            wall: Duration::from_mins(1),
            processes: 100,
            disk_bytes: 1 << 30,
            log_bytes: 1 << 20,
        },
        app_limits: AppLimits {
            cpu_millis: 1_000,
            memory_bytes: 1 << 30,
            processes: 100,
            log_bytes: 1 << 20,
        },
        plans: Plans::default(),
        start_timeout: Duration::from_secs(5),
        drain_timeout: Duration::from_secs(1),
        stop_grace: Duration::from_secs(1),
        kept_builds: 2,
        app_log_lines: 1_000,
        audit_retention: TimeDelta::days(365),
        verified_keys: VerifierOptions::default(),
        session_life: TimeDelta::days(30),
        session_idle_limit: TimeDelta::days(7),
        sign_in_attempts: AttemptLimits::default(),
    }
}
