//! What is known of projects, and stopping what nobody needs.

use std::io;

use windlass_domain::ProjectId;
use windlass_services::{BackingServices as _, Place, ServiceError};

use super::LocalServices;
use crate::{
    files::{read_json, write_json},
    needs::Need,
    postgres::Cluster,
    record::{EnvironmentRecord, ProjectRecord},
    redis::Redis,
};

impl LocalServices {
    /// Buckets are served by us, so they were closed when we ended.
    pub(super) async fn open_buckets(&self) -> Result<(), ServiceError> {
        for place in self.places().await? {
            if self.record(place.project)?.of(place.environment).active.s3 {
                self.s3.open(&self.means, place).await?;
            }
        }
        Ok(())
    }

    pub(super) fn cluster(&self, project: ProjectId) -> Cluster<'_> {
        Cluster { project, means: &self.means }
    }

    pub(super) fn redis(&self, place: Place) -> Redis<'_> {
        Redis { place, means: &self.means }
    }

    pub(super) fn record(&self, project: ProjectId) -> Result<ProjectRecord, ServiceError> {
        let read = read_json(&self.means.layout.record(project)).map(Option::unwrap_or_default);
        read.map_err(ServiceError::unavailable("reading what a project has"))
    }

    /// Changes what is known of an environment, before anything is done about it.
    pub(super) fn note(
        &self,
        place: Place,
        change: impl FnOnce(&mut EnvironmentRecord),
    ) -> Result<ProjectRecord, ServiceError> {
        let failed = || ServiceError::unavailable::<io::Error>("noting what a project has");
        let mut record = self.record(place.project)?;
        let before = record.environments.get(&place.environment).copied();
        let mut environment = before.unwrap_or_default();
        change(&mut environment);
        if before != Some(environment) {
            self.means.layout.make_project(place.project).map_err(failed())?;
            record.environments.insert(place.environment, environment);
            write_json(&self.means.layout.record(place.project), &record).map_err(failed())?;
        }
        Ok(record)
    }

    /// Whether everything runs that an environment was provided with.
    pub(super) fn all_runs(&self, place: Place) -> Result<bool, ServiceError> {
        let failed = || ServiceError::unavailable::<io::Error>("looking for servers");
        let active = self.record(place.project)?.of(place.environment).active;
        Ok((!active.postgres || self.cluster(place.project).runs().map_err(failed())?)
            && (!active.redis || self.redis(place).runs().map_err(failed())?)
            && (!active.s3 || self.s3.is_open(place)))
    }

    /// Stops what nobody needs of an environment, and of what its project shares.
    pub(super) async fn settle(
        &self,
        record: &ProjectRecord,
        place: Place,
    ) -> Result<(), ServiceError> {
        let environment = record.of(place.environment);
        if environment.has.redis && !environment.active.redis {
            self.redis(place).stop().await?;
        }
        if !environment.active.s3 {
            self.s3.close(place);
        }
        self.settle_postgres(record, place.project).await
    }

    /// Stops a project's PostgreSQL when nobody needs it.
    pub(super) async fn settle_postgres(
        &self,
        record: &ProjectRecord,
        project: ProjectId,
    ) -> Result<(), ServiceError> {
        if record.needs_postgres() || self.needs.has(project) {
            Ok(())
        } else {
            self.cluster(project).stop().await
        }
    }

    /// Starts a project's PostgreSQL for as long as something is done with an environment's data.
    pub(super) async fn need_postgres(&self, place: Place) -> Result<Need, ServiceError> {
        let _guard = self.projects.take(place.project).await;
        if !self.record(place.project)?.of(place.environment).has.postgres {
            let text = "the environment has no PostgreSQL database".to_owned();
            return Err(ServiceError::Refused(text));
        }
        let need = self.needs.begin(place.project);
        let cluster = self.cluster(place.project);
        let port = cluster.start().await?;
        cluster.ensure(place.environment, port).await?;
        Ok(need)
    }

    /// Stops it again, unless somebody else needs it. Cut off, the project's next call does.
    pub(super) async fn no_longer_need_postgres(
        &self,
        need: Need,
        project: ProjectId,
    ) -> Result<(), ServiceError> {
        let _guard = self.projects.take(project).await;
        drop(need);
        self.settle_postgres(&self.record(project)?, project).await
    }
}
