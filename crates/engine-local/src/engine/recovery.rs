//! After a start: ends and removes what belongs to nobody.

use windlass_domain::{BuildId, DeploymentId};
use windlass_engine::EngineError;
use windlass_engine_kit::{
    claim::Claim,
    files::{STATE, names, read_json, remove},
};

use super::Shared;
use crate::{
    layout::OUTPUT,
    record::{AppRecord, AppStatus},
};

impl Shared {
    /// Supervisors that are alive keep what is theirs.
    pub(super) async fn recover(&self) -> Result<(), EngineError> {
        self.builds.recover(self).await?;
        self.tasks.recover(self).await?;
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
            if !is_whole && !Claim::is_held(&self.builds.folder(build)) {
                remove(self.layout.output(build)).await?;
            }
        }
        Ok(())
    }

    /// Ends processes whose build, task or app nobody knows.
    async fn end_orphans(&self) {
        for name in self.hierarchy.names() {
            let id = name.strip_suffix(".fetch").unwrap_or(&name);
            let build = id.parse().map(|build| self.builds.folder(build));
            let task = id.parse().map(|task| self.tasks.folder(task));
            let app = id.parse().map(|deployment| self.layout.app(deployment));
            let folders = build.into_iter().chain(task).chain(app);
            let is_known = folders.into_iter().any(|folder| Claim::is_held(&folder));
            if !is_known {
                self.hierarchy.group(&name).remove().await;
            }
        }
    }
}
