//! Drives the whole API in process, and holds every answer against the API's description.

use std::{collections::HashMap, net::SocketAddr, num::NonZeroUsize, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header, request::Builder},
    response::Response,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use windlass_auth::{
    BcryptCost, Credential, HasherOptions, IdentityService, KeyFormat, KeyHasher, Membership,
    NewApiKey, PasswordCost, PasswordHasher, PasswordOptions, Principal, ProjectReach, Role, Scope,
    SessionRecord, VerifierOptions,
};
use windlass_control::{
    AttemptLimits, Control, Keyring, Occasion, Parts, Plans, RouteTarget, Routes, Settings,
    create_api_key, install,
};
use windlass_domain::{
    Amounts, Backoff, Clock as _, Effects, HostLabel, Id, OsEntropy, PlanName, User, WorkerId,
    test_util::{CountingEntropy, ManualClock},
};
use windlass_engine::{AppLimits, BuildLimits, fake::FakeEngine};
use windlass_http::{AppAddress, HttpState, Options, RateLimits, TrustedProxies, router};
use windlass_services::fake::FakeServices;
use windlass_storage::Store;
use windlass_storage_seaorm::test_util::{TestStore, fresh_store};

use crate::{
    contract,
    flaky::Flaky,
    github::stand_in::{CLIENT_SECRET, github_at},
};

const MIB: u64 = 1024 * 1024;

/// The API under test.
pub(crate) struct TestApi {
    /// Time, in the test's hands.
    pub(crate) clock: Arc<ManualClock>,
    /// What builds and runs.
    pub(crate) engine: FakeEngine,
    /// The database, past the API.
    pub(crate) store: Arc<dyn Store>,
    /// The database, as the API has it.
    pub(crate) flaky: Arc<Flaky>,
    /// What the handlers use.
    pub(crate) control: Control,
    /// Stops whatever goes on.
    pub(crate) stopping: CancellationToken,
    /// A key that may do everything.
    pub(crate) owner: String,
    /// How passwords are hashed, to count that.
    pub(crate) passwords: PasswordHasher,
    /// The database itself.
    pub(crate) database: TestStore,
    router: Router,
}

/// How a server is set up.
pub(crate) struct Setup {
    /// Whether metrics are for everybody.
    pub(crate) open_metrics: bool,
    /// The proxies in front of it.
    pub(crate) proxies: TrustedProxies,
    /// How often anybody may ask.
    pub(crate) limits: RateLimits,
    /// GitHub.
    pub(crate) github: Option<Arc<dyn IdentityService>>,
}

impl Default for Setup {
    /// Nobody who comes back from GitHub without having been sent there has it asked.
    fn default() -> Self {
        Self {
            open_metrics: false,
            proxies: TrustedProxies::default(),
            limits: RateLimits::default(),
            github: Some(github_at("http://127.0.0.1:9", CLIENT_SECRET)),
        }
    }
}

/// What came back.
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: StatusCode,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Body, if it is JSON; otherwise as a string; `null` when there is none.
    pub(crate) body: Value,
}

impl TestApi {
    /// Starts on a fresh database.
    pub(crate) async fn start(test: &str) -> Self {
        Self::start_as(test, Setup::default()).await
    }

    /// The same behind proxies.
    pub(crate) async fn start_behind(test: &str, proxies: TrustedProxies) -> Self {
        Self::start_as(test, Setup { proxies, ..Setup::default() }).await
    }

    /// The same with limits; all the others ask as often as they like.
    pub(crate) async fn start_limited(test: &str, limits: RateLimits) -> Self {
        Self::start_as(test, Setup { limits, ..Setup::default() }).await
    }

    /// The same with metrics for everybody.
    pub(crate) async fn start_with(test: &str, open_metrics: bool) -> Self {
        Self::start_as(test, Setup { open_metrics, ..Setup::default() }).await
    }

    /// The same in another way.
    pub(crate) async fn start_as(test: &str, setup: Setup) -> Self {
        let Setup { open_metrics, proxies, limits, github } = setup;
        let database = fresh_store(test).await;
        let store: Arc<dyn Store> = Arc::new((*database).clone());
        let flaky = Arc::new(Flaky::new(store.clone()));
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(CountingEntropy::default());
        let engine = FakeEngine::new(clock.clone());
        let cost = PasswordCost::MIN;
        let passwords = PasswordHasher::new(PasswordOptions { cost, ..PasswordOptions::default() });
        let control = Control::new(Parts {
            store: flaky.clone(),
            engine: Arc::new(engine.clone()),
            services: Arc::new(FakeServices::default()),
            routes: Arc::new(NoRoutes),
            clock: clock.clone(),
            entropy: entropy.clone(),
            keyring: Keyring::generate(&*entropy),
            key_format: KeyFormat::default(),
            key_hasher: KeyHasher::new(HasherOptions {
                cost: BcryptCost::MIN,
                concurrency: NonZeroUsize::MIN,
                queue: 64,
            }),
            password_hasher: passwords.clone(),
            github,
            source_hosting: None,
            worker: WorkerId::new("test".to_owned()),
            settings: settings(),
        });
        let mut owner = String::new();
        install(&control, |key| {
            key.expose().clone_into(&mut owner);
            Ok(())
        })
        .await
        .expect("the database is empty");

        let stopping = CancellationToken::new();
        let router = router(HttpState {
            control: control.clone(),
            clock: clock.clone(),
            entropy,
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            stopping: stopping.clone(),
            options: Options {
                apps: AppAddress {
                    scheme: "http".to_owned(),
                    base_domain: "localhost".to_owned(),
                    port: Some(8081),
                },
                public_url: "https://windlass.example.com/".to_owned(),
                open_metrics,
                proxies,
                limits,
                request_timeout: Duration::from_secs(30),
            },
        });
        Self { clock, engine, store, flaky, control, stopping, owner, passwords, database, router }
    }

    /// Begins a request with a key.
    pub(crate) fn request(key: &str, method: Method, path: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header("X-Request-Id", "test")
    }

    /// Sends a request and gives the answer as it is.
    pub(crate) async fn raw(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    /// Sends a request and holds the answer against the API's description.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.raw(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let body = if bytes.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
            Value::Null
        } else {
            let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
            serde_json::from_slice(&bytes).unwrap_or_else(|_| text())
        };
        contract::check(&method, &path, status, &headers, &body);
        Answer { status, headers, body }
    }

    /// Sends JSON, or nothing.
    pub(crate) async fn send(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = Self::request(key, method, path);
        let request = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.answer(request.expect("a well-formed request")).await
    }

    /// `GET` as the owner.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(&self.owner, Method::GET, path, None).await
    }

    /// What the owner sees, without holding that against the description: where many look at the
    /// same again and again.
    pub(crate) async fn glance(&self, path: &str) -> Vec<u8> {
        let request = Self::request(&self.owner, Method::GET, path).body(Body::empty());
        let response = self.raw(request.expect("a well-formed request")).await;
        to_bytes(response.into_body(), usize::MAX).await.expect("a body").into()
    }

    /// `POST` as the owner.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(&self.owner, Method::POST, path, Some(body)).await
    }

    /// `PATCH` as the owner.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(&self.owner, Method::PATCH, path, Some(body)).await
    }

    /// `PUT` as the owner.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(&self.owner, Method::PUT, path, Some(body)).await
    }

    /// `DELETE` as the owner.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(&self.owner, Method::DELETE, path, None).await
    }

    /// A key with these scopes.
    pub(crate) async fn key_with(&self, scopes: &[&str]) -> String {
        let body = json!({ "name": "narrow", "scopes": scopes });
        let created = self.post("/api/auth/api-keys", body).await;
        created.body["key"].as_str().expect("a key").to_owned()
    }

    /// The organization of the owner, by its id.
    pub(crate) async fn organization(&self) -> String {
        let me = self.get("/api/auth/me").await;
        me.body["organizations"][0]["id"].as_str().expect("an organization").to_owned()
    }

    /// Somebody new in the owner's organization, by their id.
    pub(crate) async fn member(&self, name: &str, role: Role) -> String {
        let organization_id = self.organization().await.parse().expect("an identifier");
        let user = User::create(name.parse().expect("a name"), self.fx());
        let membership = Membership { organization_id, user_id: user.id, role };
        let mut uow = self.store.write().await.expect("the database is there");
        uow.organizations().insert_user(&user).await.expect("they are new");
        uow.organizations().insert_membership(&membership).await.expect("they are new");
        uow.commit().await.expect("the database is there");
        user.id.to_string()
    }

    /// The same with a key that may do whatever they may, for a role that makes keys.
    pub(crate) async fn member_with_key(&self, name: &str, role: Role) -> (String, String) {
        let id = self.member(name, role).await;
        let created_at = self.clock.now();
        let session = SessionRecord {
            id: Id::generate(self.fx()),
            user_id: id.parse().expect("an identifier"),
            created_at,
            expires_at: created_at + chrono::TimeDelta::days(1),
            last_seen_at: created_at,
            user_agent: String::new(),
            address: None,
        };
        let mut uow = self.store.write().await.expect("the database is there");
        uow.sessions().insert(&session).await.expect("it is new");
        uow.commit().await.expect("the database is there");
        let principal = Principal {
            organization_id: self.organization().await.parse().expect("an identifier"),
            user_id: id.parse().expect("an identifier"),
            role,
            credential: Credential::Session { id: session.id, expires_at: session.expires_at },
            permissions: role.permissions(),
            projects: ProjectReach::All,
            restriction: None,
        };
        let occasion = Occasion { action: "test".into(), request_id: None, address: None };
        let caller = self.control.caller(Arc::new(principal), occasion);
        let new = NewApiKey {
            name: name.parse().expect("a name"),
            scopes: role.permissions().iter().map(Scope::Permission).collect(),
            project_ids: None,
            allowed_addresses: None,
            expires_at: None,
        };
        let made = create_api_key(&self.control, &caller, new).await.expect("a key");
        (id, made.key.expose().to_owned())
    }

    /// Time in the test's hands, and real randomness.
    pub(crate) fn fx(&self) -> Effects<'_> {
        Effects { clock: &*self.clock, entropy: &OsEntropy }
    }

    /// A project, by its id.
    pub(crate) async fn project(&self, name: &str) -> String {
        let body = json!({ "name": name, "git_url": "https://git.example.com/shop.git" });
        id(&self.post("/api/projects", body).await)
    }

    /// An environment of a project, by its id.
    pub(crate) async fn environment(&self, project: &str, branch: &str) -> String {
        let path = format!("/api/projects/{project}/environments");
        id(&self.post(&path, json!({ "branch": branch })).await)
    }
}

/// The id of what was answered.
pub(crate) fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

/// One plan without limits, which everybody has, and a small one.
fn plans() -> Plans {
    let small = Amounts { projects: 1, cpu_millis: 2_500, memory_mb: 1_024, ..Amounts::UNLIMITED };
    let limits = [
        (PlanName::default(), Amounts::UNLIMITED),
        ("small".parse().unwrap(), small.with_build_minutes(7)),
    ];
    Plans::new(PlanName::default(), HashMap::from(limits)).unwrap()
}

fn settings() -> Settings {
    Settings {
        allow_local_git: false,
        workers: 2,
        slots_per_organization: 2,
        lease: Duration::from_secs(30),
        job_attempts: 3,
        job_backoff: Backoff {
            first: chrono::TimeDelta::milliseconds(1),
            most: chrono::TimeDelta::milliseconds(1),
        },
        job_retention: chrono::TimeDelta::days(1),
        tend_previews: Duration::from_millis(100),
        delivery_retention: chrono::TimeDelta::days(30),
        build_restarts: 1,
        poll: Duration::from_secs(1),
        reconcile: Duration::from_secs(1),
        build_limits: BuildLimits {
            cpu_millis: 1_000,
            memory_bytes: 512 * MIB,
            wall: Duration::from_mins(1),
            processes: 100,
            disk_bytes: 512 * MIB,
            log_bytes: 8 * MIB,
        },
        app_limits: AppLimits {
            cpu_millis: 1_000,
            memory_bytes: 256 * MIB,
            processes: 100,
            log_bytes: 8 * MIB,
        },
        plans: plans(),
        start_timeout: Duration::from_secs(10),
        drain_timeout: Duration::from_secs(1),
        stop_grace: Duration::from_secs(1),
        kept_builds: 3,
        app_log_lines: 1_000,
        audit_retention: chrono::TimeDelta::days(365),
        verified_keys: VerifierOptions { cache_size: 100, cache_ttl: Duration::from_mins(1) },
        session_life: chrono::TimeDelta::days(30),
        session_idle_limit: chrono::TimeDelta::days(7),
        sign_in_attempts: AttemptLimits::default(),
    }
}

/// No ingress stands in front of these apps.
struct NoRoutes;

#[async_trait]
impl Routes for NoRoutes {
    fn take_visits(&self) -> std::collections::HashSet<HostLabel> {
        std::collections::HashSet::new()
    }

    fn replace(&self, _: HashMap<HostLabel, RouteTarget>) {}

    async fn drained(&self, _: &[SocketAddr], _: Duration) {}
}
