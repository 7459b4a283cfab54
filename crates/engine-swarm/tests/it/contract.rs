//! What every engine promises.

use async_trait::async_trait;
use windlass_engine::{
    Engine, Recipe,
    contract::{AppPlan, Harness, Plan, Prepared, README},
    engine_contract,
};
use windlass_engine_swarm::SwarmEngine;

use crate::site::Site;

struct Swarm {
    engine: SwarmEngine,
    site: Site,
}

impl Swarm {
    async fn new() -> Self {
        let site = Site::new();
        Self { engine: site.engine().await, site }
    }
}

#[async_trait]
impl Harness for Swarm {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    async fn prepare(&self, plan: Plan) -> Prepared {
        let commit = self.site.commit(&[("README", README)]);
        // There is no Python in the image of the tests.
        let lines = AppPlan::LINES.map(|line| format!("echo {line}")).join("; ");
        let end = match plan.app {
            AppPlan::Answers => "exec httpd -f -p $PORT",
            AppPlan::Ends => "exit 3",
        };
        let recipe = Recipe {
            build_command: Some(plan.build.command()),
            start_command: format!("{lines}; {end}").parse().ok(),
            ..Recipe::default()
        };
        let request = self.site.request(commit);
        Prepared { source: request.source, branch: request.branch, commit: request.commit, recipe }
    }
}

engine_contract!(Swarm::new().await);
