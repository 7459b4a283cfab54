//! Builds: what only this engine knows about them.

use std::path::Path;

use async_trait::async_trait;
use windlass_domain::BuildId;
use windlass_engine::{BuildRequest, EngineError};
use windlass_engine_kit::{
    faults::internal,
    files::{STATE, names, read_json, remove},
    runs::Workshop,
};

use super::{Shared, orders::write};
use crate::{
    layout::OUTPUT,
    record::{AppRecord, Output},
};

#[async_trait]
impl Workshop<BuildRequest> for Shared {
    async fn prepare(&self, request: &BuildRequest, _: &Path) -> Result<Vec<u8>, EngineError> {
        Workshop::<BuildRequest>::clear(self, request.build).await?;
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
    /// What a build has made, for whatever runs in it.
    pub(super) fn built(&self, build: BuildId) -> Result<Output, EngineError> {
        let output = read_json(&self.layout.output(build).join(OUTPUT));
        output.map_err(internal("reading what was built"))?.ok_or_else(|| {
            let text = format!("what {build} built is not kept any more; build it again");
            EngineError::Refused(text)
        })
    }

    pub(super) fn kept_builds(&self) -> Vec<BuildId> {
        names(self.layout.outputs())
    }

    pub(super) async fn remove_builds(&self, builds: &[BuildId]) -> Result<(), EngineError> {
        let _guard = self.begin.lock().await;
        let apps = names(&self.layout.apps()).into_iter();
        let used: Vec<BuildId> = apps
            .filter_map(|app| read_json::<AppRecord>(&self.layout.app(app).join(STATE)).ok()?)
            .map(|record| record.build)
            .chain(self.tasks.builds())
            .collect();
        for build in builds {
            if !used.contains(build) && !self.builds.runs(*build) {
                remove(self.layout.output(*build)).await?;
            }
        }
        Ok(())
    }
}
