//! A place for a test: a repository, and an engine of its own on the daemon of all tests.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use secrecy::SecretString;
use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinHandle};
use windlass_domain::{
    BuildId, BuildResult, CommitId, DeploymentId, Effects, Entropy as _, EnvironmentId, Hook,
    OsEntropy, ProjectId, SystemClock,
};
use windlass_engine::{
    AppLimits, AppRequest, BuildLimits, BuildReport, BuildRequest, Engine as _, EngineError,
    EngineLine, Recipe, TaskId, TaskReport, TaskRequest, Variable,
};
use windlass_engine_swarm::{
    BaseImages, Endpoint, Namespace, Registry, SupervisorProgram, SwarmEngine, SwarmEngineConfig,
};

pub(crate) const GRACE: Duration = Duration::from_secs(1);
/// Long enough for anything that is going to happen.
pub(crate) const LONG: Duration = Duration::from_mins(1);

const MIB: u64 = 1024 * 1024;

/// What `cargo xtask test` has made: busybox and nothing else.
pub(crate) const BASE_IMAGE: &str = "windlass-test/base:1";

pub(crate) struct Site {
    folder: TempDir,
    project: ProjectId,
    namespace: Namespace,
    endpoint: Endpoint,
    registry: Option<Registry>,
}

pub(crate) fn effects() -> Effects<'static> {
    Effects { clock: &SystemClock, entropy: &OsEntropy }
}

/// The daemon's socket.
#[expect(clippy::disallowed_methods, reason = "how tests are told of a Docker")]
pub(crate) fn socket() -> PathBuf {
    let url = std::env::var("WINDLASS_TEST_DOCKER").unwrap_or_default();
    let socket = url.strip_prefix("unix://").map(PathBuf::from);
    socket.expect(
        "no Docker is named for these tests; one is started for them by: \
         cargo xtask test -- --package windlass-engine-swarm",
    )
}

/// What Docker's own client says.
pub(crate) fn docker(arguments: &[&str]) -> String {
    docker_at(&socket(), arguments)
}

/// What it says of the daemon with this socket.
pub(crate) fn docker_at(socket: &Path, arguments: &[&str]) -> String {
    let host = format!("unix://{}", socket.display());
    let output = Command::new("docker")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin")
        .args(["--host", &host])
        .args(arguments)
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::on(Endpoint::Unix(socket()), None)
    }

    /// One on another daemon, perhaps with a registry.
    pub(crate) fn on(endpoint: Endpoint, registry: Option<Registry>) -> Self {
        let mut random = [0; 8];
        OsEntropy.fill(&mut random);
        let namespace = format!("t{:016x}", u64::from_ne_bytes(random)).parse().unwrap();
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            project: ProjectId::generate(effects()),
            namespace,
            endpoint,
            registry,
        };
        fs::create_dir(site.repository()).unwrap();
        site.git(&["init", "--quiet", "--initial-branch=main"]);
        site
    }

    /// One whose repository has a single commit, which is built by this command.
    pub(crate) fn building(command: &str) -> (Self, BuildRequest) {
        let site = Self::new();
        let commit = site.commit(&[("README", "hello")]);
        let mut request = site.request(commit);
        request.recipe.build_command = Some(command.parse().unwrap());
        request.recipe.start_command = Some("exit 1".parse().unwrap());
        (site, request)
    }

    /// One whose repository has this Dockerfile, besides others.
    pub(crate) fn with_dockerfile(text: &str, files: &[(&str, &str)]) -> (Self, BuildRequest) {
        let site = Self::new();
        let request = site.request(site.commit_dockerfile(text, files));
        (site, request)
    }

    /// Commits a Dockerfile of apps of tests, besides others.
    pub(crate) fn commit_dockerfile(&self, text: &str, files: &[(&str, &str)]) -> CommitId {
        let text = format!("FROM {BASE_IMAGE}\n{text}");
        let files: Vec<_> =
            [("Dockerfile", &*text)].into_iter().chain(files.iter().copied()).collect();
        self.commit(&files)
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub(crate) fn namespace(&self) -> String {
        self.namespace.clone().into()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.repository())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> CommitId {
        for (name, text) in files {
            let path = self.repository().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "change"]);
        self.git(&["rev-parse", "HEAD"]).parse().unwrap()
    }

    pub(crate) fn config(&self) -> SwarmEngineConfig {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_windlass-swarm-supervisor"));
        let supervisor = SupervisorProgram { program, arguments: Vec::new() };
        let base = BASE_IMAGE.to_owned();
        SwarmEngineConfig {
            endpoint: self.endpoint.clone(),
            registry: self.registry.clone(),
            namespace: self.namespace.clone(),
            base_images: BaseImages {
                node: base.clone(),
                python: base.clone(),
                site: base.clone(),
                other: base,
            },
            allow_local_git: true,
            stop_grace: GRACE,
            ..SwarmEngineConfig::new(self.folder.path().join("engine"), supervisor)
        }
    }

    pub(crate) async fn engine(&self) -> SwarmEngine {
        SwarmEngine::open(self.config()).await.unwrap()
    }

    pub(crate) fn request(&self, commit: CommitId) -> BuildRequest {
        BuildRequest {
            build: BuildId::generate(effects()),
            project: self.project,
            source: self.repository().to_str().unwrap().parse().unwrap(),
            branch: "main".parse().unwrap(),
            commit,
            credential: None,
            recipe: Recipe::default(),
            variables: Vec::new(),
            limits: BuildLimits {
                cpu_millis: 2_000,
                memory_bytes: 256 * MIB,
                wall: LONG,
                processes: 100,
                disk_bytes: 64 * MIB,
                log_bytes: MIB,
            },
        }
    }

    /// Nothing is left of this installation on the daemon, once the swarm has cleared away.
    pub(crate) async fn assert_nothing_left(&self) {
        let label = format!("label=windlass.namespace={}", self.namespace());
        let left = || {
            let all = ["--all", "--quiet", "--filter", &label];
            let rest = all.get(1..).unwrap();
            let containers = docker(&[&["container", "ls"], &all[..]].concat());
            let others = ["service", "network"].map(|it| docker(&[&[it, "ls"], rest].concat()));
            containers + &others.concat()
        };
        until("nothing is left", async || left().is_empty()).await;
    }
}

impl Drop for Site {
    /// Leaves nothing behind, whatever the test has come to.
    fn drop(&mut self) {
        let config = self.config();
        let builds = self.folder.path().join("engine/builds");
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let engine = SwarmEngine::open(config).await.unwrap();
                engine.stop_all(Duration::ZERO).await.unwrap();
                for task in engine.kept_tasks().await.unwrap() {
                    engine.forget_task(task).await.unwrap();
                }
                for entry in fs::read_dir(builds).unwrap() {
                    let name = entry.unwrap().file_name();
                    let build = name.to_str().unwrap().parse().unwrap();
                    engine.forget_build(build).await.unwrap();
                }
                let kept = engine.kept_builds().await.unwrap();
                engine.remove_builds(&kept).await.unwrap();
            });
        });
        let ended = ended.join();
        if !std::thread::panicking() {
            ended.unwrap();
        }
    }
}

pub(crate) fn variable(key: &str, value: &str) -> Variable {
    Variable { key: key.parse().unwrap(), value: SecretString::from(value) }
}

pub(crate) fn app(request: &BuildRequest) -> AppRequest {
    AppRequest {
        first_line: 0,
        deployment: DeploymentId::generate(effects()),
        environment: EnvironmentId::generate(effects()),
        build: request.build,
        start_command: None,
        variables: Vec::new(),
        port: None,
        health_path: None,
        start_timeout: Duration::from_secs(20),
        limits: AppLimits {
            cpu_millis: 1_000,
            memory_bytes: 64 * MIB,
            processes: 50,
            log_bytes: MIB,
        },
    }
}

/// A task in what this request builds.
pub(crate) fn task(request: &BuildRequest, command: &str) -> TaskRequest {
    let AppRequest { deployment, environment, build, limits, .. } = app(request);
    TaskRequest {
        task: TaskId { deployment, hook: Hook::OnDeploy },
        environment,
        build,
        command: command.parse().unwrap(),
        variables: Vec::new(),
        limits,
        wall: LONG,
        first_line: 0,
    }
}

/// Collects lines until whoever sends them is done.
pub(crate) fn collect() -> (mpsc::Sender<EngineLine>, JoinHandle<Vec<EngineLine>>) {
    let (sender, mut receiver) = mpsc::channel(16);
    let lines = tokio::spawn(async move {
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
        lines
    });
    (sender, lines)
}

/// Builds, with the report and all lines.
pub(crate) async fn build(
    engine: &SwarmEngine,
    request: &BuildRequest,
) -> Result<(BuildReport, Vec<EngineLine>), EngineError> {
    let (sender, lines) = collect();
    let report = engine.build(request, 0, sender).await?;
    Ok((report, lines.await.unwrap()))
}

/// Runs a task, with the report and all lines.
pub(crate) async fn run(
    engine: &SwarmEngine,
    request: &TaskRequest,
) -> (TaskReport, Vec<EngineLine>) {
    let (sender, lines) = collect();
    let report = engine.run_task(request, 0, sender).await.unwrap();
    (report, lines.await.unwrap())
}

/// Builds, and insists on success.
pub(crate) async fn build_well(engine: &SwarmEngine, request: &BuildRequest) -> BuildReport {
    let (report, lines) = build(engine, request).await.unwrap();
    assert_eq!(report.result, BuildResult::Built, "{report:?}\n{}", text(&lines));
    report
}

pub(crate) fn text(lines: &[EngineLine]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// The numbers count from 0 without gaps.
pub(crate) fn assert_complete(report: &BuildReport, lines: &[EngineLine]) {
    let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
    assert_eq!(numbers, (0..report.lines).collect::<Vec<_>>());
}

/// Processes of this machine, in whatever container, whose command line has this in it.
pub(crate) fn processes_with(mark: &str) -> Vec<i32> {
    let command = |pid: &i32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(|pid| String::from_utf8_lossy(&command(pid)).contains(mark))
        .collect()
}

/// No process has this in its command line.
pub(crate) fn assert_gone(mark: &str) {
    assert!(processes_with(mark).is_empty(), "{:?}", processes_with(mark));
}

/// Waits until something is true.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + LONG;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What an app answers.
pub(crate) async fn get(address: SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
