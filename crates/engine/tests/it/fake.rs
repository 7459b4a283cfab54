//! What a test can tell the engine in memory.

use std::{sync::Arc, time::Duration};

use secrecy::ExposeSecret as _;
use tokio::sync::mpsc;
use windlass_domain::{
    Availability, BuildId, BuildResult, CommitId, DeploymentId, EnvironmentId, Hook, NodeName,
    NodeState, ProjectId, Usage,
    test_util::{CountingEntropy, ManualClock},
};
use windlass_engine::{
    AppLimits, AppRequest, AppState, BuildLimits, BuildReport, BuildRequest, Engine, EngineError,
    EngineLine, Recipe, TaskId, TaskRequest, TaskResult,
    fake::{AppScript, BuildScript, FakeEngine, Fault, Gate, Operation, TaskScript},
};

struct World {
    engine: FakeEngine,
    clock: Arc<ManualClock>,
    entropy: CountingEntropy,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let entropy = CountingEntropy::default();
        Self { engine: FakeEngine::new(Arc::clone(&clock) as _), clock, entropy }
    }

    fn request(&self) -> BuildRequest {
        let fx = self.entropy.with(&*self.clock);
        BuildRequest {
            build: BuildId::generate(fx),
            project: ProjectId::generate(fx),
            source: "https://git.example/shop.git".parse().expect("it is a URL"),
            branch: "main".parse().expect("it is a name"),
            commit: commit(),
            credential: None,
            recipe: Recipe::default(),
            variables: Vec::new(),
            limits: BuildLimits {
                cpu_millis: 1,
                memory_bytes: 1,
                wall: Duration::from_secs(1),
                processes: 1,
                disk_bytes: 1,
                log_bytes: 1,
            },
        }
    }

    fn app(&self, build: &BuildRequest) -> AppRequest {
        let fx = self.entropy.with(&*self.clock);
        AppRequest {
            first_line: 0,
            deployment: DeploymentId::generate(fx),
            environment: EnvironmentId::generate(fx),
            build: build.build,
            start_command: None,
            variables: Vec::new(),
            port: None,
            health_path: None,
            start_timeout: Duration::from_secs(1),
            limits: AppLimits { cpu_millis: 1, memory_bytes: 1, processes: 1, log_bytes: 1 },
        }
    }

    async fn build(&self, request: &BuildRequest) -> (BuildReport, Vec<EngineLine>) {
        let (sender, mut receiver) = mpsc::channel(64);
        let report = self.engine.build(request, 0, sender).await.expect("it can build");
        let mut lines = Vec::new();
        receiver.recv_many(&mut lines, 64).await;
        (report, lines)
    }

    async fn running(&self) -> AppRequest {
        let build = self.request();
        self.build(&build).await;
        let app = self.app(&build);
        self.engine.start(&app).await.expect("it starts");
        app
    }

    async fn state(&self, app: &AppRequest) -> Option<AppState> {
        let apps = self.engine.observe().await.expect("it can observe");
        apps.into_iter().find(|seen| seen.deployment == app.deployment).map(|seen| seen.state)
    }
}

fn commit() -> CommitId {
    "0123456789012345678901234567890123456789".parse().expect("it has forty digits")
}

#[tokio::test]
async fn a_build_follows_its_script_up_to_a_gate_and_beyond() {
    let world = World::new();
    let gate = Gate::closed();
    let usage = Usage { cpu_micros: 7, peak_memory_bytes: 8, wall_millis: 9 };
    let script = BuildScript::ending(BuildResult::Timeout, "too slow")
        .print("before")
        .wait(&gate)
        .print("after")
        .usage(usage);
    world.engine.script_build(&commit(), script);
    let request = world.request();
    let ((report, lines), ()) = tokio::join!(world.build(&request), async {
        gate.reached().await;
        gate.open();
    });
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["before", "after"]);
    let message = "too slow".to_owned();
    assert_eq!(report, BuildReport { result: BuildResult::Timeout, message, usage, lines: 2 });
    assert_eq!(world.engine.runs(request.build), 1);
    assert!(!world.engine.is_kept(request.build));
}

#[tokio::test]
async fn calls_fail_as_often_as_they_are_told_to() {
    let world = World::new();
    world.engine.fail_next(Operation::Check, Fault::Unavailable, 2);
    world.engine.fail_next(Operation::Check, Fault::Internal, 1);
    let mut failures = Vec::new();
    while let Err(failure) = world.engine.check().await {
        failures.push(failure);
    }
    assert!(matches!(
        failures.as_slice(),
        [EngineError::Unavailable(_), EngineError::Unavailable(_), EngineError::Internal { .. }]
    ));
    assert_eq!(world.engine.calls(Operation::Check), 4);
}

#[tokio::test]
async fn an_app_crashes_when_it_is_told_to_and_can_be_started_again() {
    let world = World::new();
    let app = world.running().await;
    let mut changes = world.engine.changes();
    world.engine.print(app.deployment, "last words");
    world.engine.set_app(app.deployment, AppState::Crashed { reason: "exit 1".to_owned() });
    assert_eq!(changes.recv().await, Ok(app.deployment));
    let crashed = AppState::Crashed { reason: "exit 1".to_owned() };
    assert_eq!(world.state(&app).await, Some(crashed));
    let (sender, mut receiver) = mpsc::channel(8);
    world.engine.follow(app.deployment, 0, sender).await.expect("it can be followed");
    let last = receiver.recv().await.map(|line| line.text);
    assert_eq!(last, Some("last words".into()));
    world.engine.start(&app).await.expect("it starts again");
    assert!(world.engine.running(app.deployment).is_some());
}

#[tokio::test]
async fn a_restart_of_the_machine_ends_what_runs_and_keeps_what_was_built() {
    let world = World::new();
    let app = world.running().await;
    let gate = Gate::closed();
    world.engine.script_build(&commit(), BuildScript::built().print("one").wait(&gate));
    let request = world.request();
    let ((report, lines), ()) = tokio::join!(world.build(&request), async {
        gate.reached().await;
        world.engine.restart_machine();
    });
    assert_eq!((report.result, lines.len()), (BuildResult::InternalError, 1));
    assert_eq!(world.build(&request).await.0, report, "it ends once");
    assert_eq!(world.state(&app).await, None);
    world.engine.start(&app).await.expect("its build is still there");
}

#[tokio::test]
async fn a_task_follows_its_script_and_is_lost_once_where_the_machine_restarts() {
    let world = World::new();
    let app = world.running().await;
    let AppRequest { deployment, environment, build, limits, .. } = app;
    let task = TaskRequest {
        task: TaskId { deployment, hook: Hook::OnNew },
        environment,
        build,
        command: "make seed".parse().expect("it is a command"),
        variables: Vec::new(),
        limits,
        wall: Duration::from_mins(1),
        first_line: 3,
    };
    let gate = Gate::closed();
    let script = TaskScript::ending(TaskResult::Failed, "exit status 1").print("one").wait(&gate);
    world.engine.script_task(&commit(), Hook::OnNew, script.print("two"));
    let run = async || {
        let (sender, _lines) = mpsc::channel(8);
        world.engine.run_task(&task, 0, sender).await.expect("its build is there")
    };
    let (lost, ()) = tokio::join!(run(), async {
        gate.reached().await;
        world.engine.restart_machine();
    });
    assert_eq!((lost.result, lost.next_line), (TaskResult::Lost, 4));
    gate.open();
    assert_eq!(run().await, lost);
    assert_eq!(world.engine.tasks_run().len(), 1);

    world.engine.forget_task(task.task).await.expect("it can be forgotten");
    let failed = run().await;
    assert_eq!((failed.result, failed.next_line), (TaskResult::Failed, 5));
    assert_eq!(world.engine.tasks_run().len(), 2);
}

#[tokio::test]
async fn a_lost_disk_takes_the_builds_with_it() {
    let world = World::new();
    let app = world.running().await;
    world.engine.lose_disk();
    let refusal = world.engine.start(&app).await;
    assert!(matches!(refusal, Err(EngineError::Refused(_))), "{refusal:?}");
}

#[tokio::test]
async fn an_app_answers_where_it_is_told_to_and_can_be_stopped_while_it_starts() {
    let world = World::new();
    let gate = Gate::closed();
    let address = "127.0.0.1:9".parse().expect("it is an address");
    world.engine.script_app(&commit(), AppScript::answering().at(address).wait(&gate));
    let build = world.request();
    world.build(&build).await;
    let app = world.app(&build);
    let (refusal, ()) = tokio::join!(world.engine.start(&app), async {
        gate.reached().await;
        let stopped = world.engine.stop(app.deployment, Duration::ZERO).await;
        stopped.expect("it can be stopped");
    });
    assert!(matches!(refusal, Err(EngineError::Refused(_))), "{refusal:?}");
    gate.open();
    let running = world.engine.start(&app).await.expect("it starts");
    assert_eq!(running.addresses, [address]);
}

fn name(text: &str) -> NodeName {
    text.parse().expect("it is a name")
}

async fn node_of(world: &World, app: &AppRequest) -> Option<NodeName> {
    let nodes = world.engine.nodes().await.expect("it can list them");
    nodes.into_iter().find(|node| node.apps.contains(&app.deployment)).map(|node| node.name)
}

#[tokio::test]
async fn apps_of_a_node_that_is_drained_go_elsewhere_if_there_is_a_place() {
    let world = World::new();
    let app = world.running().await;
    let (first, second) = (name("node-1"), name("second"));
    assert_eq!(node_of(&world, &app).await, Some(first.clone()));
    let refusal = world.engine.set_availability(&first, Availability::Drained).await;
    assert!(matches!(refusal, Err(EngineError::Refused(_))), "{refusal:?}");

    world.engine.add_node(&second);
    let mut changes = world.engine.changes();
    world.engine.set_availability(&first, Availability::Drained).await.expect("there is a place");
    assert_eq!(changes.recv().await, Ok(app.deployment));
    assert_eq!(node_of(&world, &app).await, Some(second));
}

#[tokio::test]
async fn apps_of_a_node_that_is_lost_begin_again_and_it_can_be_removed() {
    let world = World::new();
    let second = name("second");
    world.engine.add_node(&second);
    let (one, two) = (world.running().await, world.running().await);
    world.engine.set_node(&second, NodeState::Down);
    for app in [&one, &two] {
        assert_eq!(node_of(&world, app).await, Some(name("node-1")));
    }
    for _ in 0..2 {
        world.engine.remove_node(&second).await.expect("it is down, or gone");
    }
    world.engine.set_node(&name("node-1"), NodeState::Down);
    let restarting = Some(AppState::Restarting { restarts: 0 });
    assert_eq!(world.state(&one).await, restarting);
    let last = world.engine.remove_node(&name("node-1")).await;
    assert!(matches!(last, Err(EngineError::Refused(_))), "{last:?}");
}

#[tokio::test]
async fn a_token_is_replaced_and_an_engine_that_is_alone_has_none() {
    let world = World::new();
    let before = world.engine.admission().await.expect("it has a token");
    let after = world.engine.rotate_admission().await.expect("it makes another");
    assert_ne!(before.token.expose_secret(), after.token.expose_secret());
    world.engine.fail_next(Operation::Nodes, Fault::Unavailable, 1);
    assert!(matches!(world.engine.nodes().await, Err(EngineError::Unavailable(_))));

    world.engine.run_alone();
    let refusal = world.engine.admission().await;
    assert!(matches!(refusal, Err(EngineError::Refused(_))), "{refusal:?}");
    assert_eq!(world.engine.nodes().await.expect("it has itself").len(), 1);
}
