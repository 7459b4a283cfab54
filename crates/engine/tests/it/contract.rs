//! The engine in memory is an engine.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use windlass_domain::{BuildResult, Hook, SystemClock};
use windlass_engine::{
    Engine, Recipe, TaskResult,
    contract::{AppPlan, BuildPlan, Harness, Plan, Prepared, README, TaskPlan},
    engine_contract,
    fake::{AppScript, BuildScript, FakeEngine, Gate, TaskScript},
};

struct Scripted {
    engine: FakeEngine,
    commits: AtomicU64,
}

impl Scripted {
    fn new() -> Self {
        Self { engine: FakeEngine::new(Arc::new(SystemClock)), commits: AtomicU64::new(1) }
    }
}

#[async_trait]
impl Harness for Scripted {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    async fn prepare(&self, plan: Plan) -> Prepared {
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        let commit = format!("{number:040x}").parse().expect("it has forty digits");
        let source = format!("https://git.example/{number}.git").parse().expect("it is a URL");
        let branch = "main".parse().expect("it is a name");
        let build = match plan.build {
            BuildPlan::Succeeds | BuildPlan::Hangs => BuildScript::built(),
            BuildPlan::Fails => BuildScript::ending(BuildResult::BuildFailed, "exit status 3"),
        };
        let build = BuildPlan::LINES.iter().fold(build, |script, line| script.print(line));
        let build =
            if plan.build == BuildPlan::Hangs { build.wait(&Gate::closed()) } else { build };
        let app = match plan.app {
            AppPlan::Answers => AppScript::answering(),
            AppPlan::Ends => AppScript::failing("the app ended with exit status 3"),
        };
        let app = AppPlan::LINES.iter().fold(app, |script, line| script.print(line));
        self.engine.push(&source, &branch, &commit);
        self.engine.commit_file(&commit, "README", README);
        self.engine.script_build(&commit, build);
        self.engine.script_app(&commit, app);
        self.engine.script_task(&commit, Hook::OnDeploy, task(plan.task));
        Prepared { source, branch, commit, recipe: Recipe::default() }
    }
}

fn task(plan: TaskPlan) -> TaskScript {
    let (script, lines) = match plan {
        TaskPlan::Succeeds | TaskPlan::Hangs => (TaskScript::default(), TaskPlan::LINES),
        TaskPlan::Fails => {
            (TaskScript::ending(TaskResult::Failed, "exit status 3"), TaskPlan::LINES)
        }
        TaskPlan::Looks => (TaskScript::default(), TaskPlan::SEEN),
    };
    let script = lines.iter().fold(script, |script, line| script.print(line));
    if plan == TaskPlan::Hangs { script.wait(&Gate::closed()) } else { script }
}

engine_contract!(Scripted::new());
