//! What every engine promises.

use async_trait::async_trait;
use windlass_engine::{
    Engine, Recipe,
    contract::{Harness, Plan, Prepared, README},
    engine_contract,
};
use windlass_engine_local::LocalEngine;

use crate::site::Site;

struct Local {
    engine: LocalEngine,
    site: Site,
}

impl Local {
    async fn new() -> Self {
        let site = Site::new();
        Self { engine: site.engine().await, site }
    }
}

#[async_trait]
impl Harness for Local {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    async fn prepare(&self, plan: Plan) -> Prepared {
        let commit = self.site.commit(&[("README", README)]);
        let recipe = Recipe {
            build_command: Some(plan.build.command()),
            start_command: Some(plan.app.command()),
            ..Recipe::default()
        };
        let request = self.site.request(commit);
        Prepared { source: request.source, branch: request.branch, commit: request.commit, recipe }
    }
}

engine_contract!(Local::new().await);
