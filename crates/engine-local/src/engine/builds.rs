//! Builds: what only this engine knows about them.

use async_trait::async_trait;
use windlass_domain::BuildId;
use windlass_engine::{BuildRequest, EngineError};
use windlass_engine_kit::{
    builds::Workshop,
    faults::internal,
    files::{STATE, names, read_json, remove},
};

use super::{Shared, orders::write};
use crate::record::AppRecord;

#[async_trait]
impl Workshop for Shared {
    async fn order(&self, request: &BuildRequest) -> Result<Vec<u8>, EngineError> {
        write(&self.build_order(request).map_err(internal("preparing the build"))?)
    }

    async fn clear(&self, build: BuildId) -> Result<(), EngineError> {
        for name in [build.to_string(), format!("{build}.fetch")] {
            self.hierarchy.group(&name).remove().await;
        }
        remove(self.layout.output(build)).await
    }
}

impl Shared {
    pub(super) fn kept_builds(&self) -> Vec<BuildId> {
        names(self.layout.outputs())
    }

    pub(super) async fn remove_builds(&self, builds: &[BuildId]) -> Result<(), EngineError> {
        let _guard = self.begin.lock().await;
        let apps = names(&self.layout.apps()).into_iter();
        let used: Vec<BuildId> = apps
            .filter_map(|app| read_json::<AppRecord>(&self.layout.app(app).join(STATE)).ok()?)
            .map(|record| record.build)
            .collect();
        for build in builds {
            if !used.contains(build) && !self.builds.runs(*build) {
                remove(self.layout.output(*build)).await?;
            }
        }
        Ok(())
    }
}
