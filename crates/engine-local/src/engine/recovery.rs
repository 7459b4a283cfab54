//! After a start: ends and removes what belongs to nobody.

use windlass_domain::{BuildId, DeploymentId};
use windlass_engine::EngineError;

use super::{Shared, remove};
use crate::{
    claim::Claim,
    files::{names, read_json},
    layout::{OUTPUT, REPORT, STATE},
    record::{AppRecord, AppStatus},
};

impl Shared {
    /// Supervisors that are alive keep what is theirs.
    pub(super) async fn recover(&self) -> Result<(), EngineError> {
        let builds: Vec<BuildId> = names(&self.layout.builds());
        for build in &builds {
            let folder = self.layout.build(*build);
            let has_begun = folder.join(STATE).exists() && !folder.join(REPORT).exists();
            if has_begun && !Claim::is_held(&folder) {
                self.bury_build(*build).await?;
            }
        }
        for deployment in names::<DeploymentId>(&self.layout.apps()) {
            let folder = self.layout.app(deployment);
            let record: Option<AppRecord> = read_json(&folder.join(STATE)).ok().flatten();
            let has_crashed =
                record.is_some_and(|record| matches!(record.status, AppStatus::Crashed { .. }));
            if !has_crashed && !Claim::is_held(&folder) {
                self.bury_app(deployment).await?;
            }
        }
        self.end_orphans().await;
        for build in names::<BuildId>(self.layout.outputs()) {
            let is_whole = self.layout.output(build).join(OUTPUT).exists();
            if !is_whole && !Claim::is_held(&self.layout.build(build)) {
                remove(self.layout.output(build)).await?;
            }
        }
        Ok(())
    }

    /// Ends processes whose build or app nobody knows.
    async fn end_orphans(&self) {
        for name in self.hierarchy.names() {
            let id = name.strip_suffix(".fetch").unwrap_or(&name);
            let build = id.parse().map(|build| self.layout.build(build));
            let app = id.parse().map(|deployment| self.layout.app(deployment));
            let folders = build.into_iter().chain(app);
            let is_known = folders.into_iter().any(|folder| Claim::is_held(&folder));
            if !is_known {
                self.hierarchy.group(&name).remove().await;
            }
        }
    }
}
