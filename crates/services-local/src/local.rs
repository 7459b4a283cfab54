//! [`LocalServices`]: what is to be there, and who needs it.

mod upkeep;

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};
use windlass_domain::{ProjectId, Services};
use windlass_services::{BackingServices, Place, ServiceError, Variable};

use crate::{
    config::ServicesConfig, files::write_json, layout::Layout, locks::Locks, means::Means,
    needs::Needs, postgres, record::both, redis, s3::S3,
};

/// Backing services that are processes and folders of this machine.
#[derive(Debug)]
pub struct LocalServices {
    means: Means,
    s3: S3,
    projects: Locks<ProjectId>,
    restores: Locks<Place>,
    needs: Needs,
    /// Held for as long as this is the one that decides.
    _lock: File,
}

impl LocalServices {
    /// Opens the folder, and the buckets that were open. Servers that were running are left alone.
    pub async fn open(config: ServicesConfig) -> Result<Self, ServiceError> {
        let failed = || ServiceError::unavailable::<io::Error>("opening the folder for services");
        let layout = Layout::open(&config.data_dir, config.user)?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).append(true).mode(0o600).open(layout.lock());
        let lock = lock.map_err(failed())?;
        lock.try_lock().map_err(|error| failed()(error.into()))?;
        let services = Self {
            means: Means::open(config, layout)?,
            s3: S3::default(),
            projects: Locks::default(),
            restores: Locks::default(),
            needs: Needs::default(),
            _lock: lock,
        };
        services.open_buckets().await?;
        Ok(services)
    }
}

#[async_trait]
impl BackingServices for LocalServices {
    async fn check(&self, wanted: Services) -> Result<(), ServiceError> {
        if wanted.postgres || wanted.redis {
            self.means.layout.check_user()?;
        }
        if wanted.postgres {
            postgres::installed(&self.means.config.program_folders, None).await?;
        }
        if wanted.redis {
            redis::installed(&self.means.config.program_folders).await?;
        }
        Ok(())
    }

    async fn provide(&self, place: Place, wanted: Services) -> Result<Vec<Variable>, ServiceError> {
        let _guard = self.projects.take(place.project).await;
        let before = self.record(place.project)?.of(place.environment);
        if wanted == Services::NONE && before.has == Services::NONE {
            return Ok(Vec::new());
        }
        self.check(wanted).await?;
        let record = self.note(place, |it| {
            it.has = both(it.has, wanted);
            it.active = wanted;
        })?;
        let mut variables = Vec::new();
        if wanted.postgres {
            let cluster = self.cluster(place.project);
            let port = cluster.start().await?;
            variables.extend(cluster.ensure(place.environment, port).await?);
        }
        if wanted.redis {
            variables.extend(self.redis(place).start().await?);
        }
        if wanted.s3 {
            variables.extend(self.s3.open(&self.means, place).await?);
        }
        self.settle(&record, place).await?;
        variables.into_iter().map(variable).collect()
    }

    async fn reset(&self, place: Place) -> Result<(), ServiceError> {
        let failed = || ServiceError::unavailable::<io::Error>("emptying what an environment has");
        let _guard = self.projects.take(place.project).await;
        let record = self.record(place.project)?;
        let environment = record.of(place.environment);
        if environment.has.postgres {
            let cluster = self.cluster(place.project);
            cluster.start().await?;
            cluster.reset(place.environment).await?;
        }
        if environment.has.redis {
            let redis = self.redis(place);
            redis.stop().await?;
            redis.clear().await.map_err(failed())?;
            if environment.active.redis {
                redis.start().await?;
            }
        }
        if environment.has.s3 {
            self.s3.close(place);
            self.s3.clear(&self.means, place).await.map_err(failed())?;
            if environment.active.s3 {
                self.s3.open(&self.means, place).await?;
            }
        }
        self.settle(&record, place).await
    }

    async fn rest(&self, place: Place) -> Result<(), ServiceError> {
        let _guard = self.projects.take(place.project).await;
        let environment = self.record(place.project)?.of(place.environment);
        if environment.has == Services::NONE {
            return Ok(());
        }
        let record = self.note(place, |it| it.active = Services::NONE)?;
        self.settle(&record, place).await
    }

    async fn remove(&self, place: Place) -> Result<(), ServiceError> {
        let failed = || ServiceError::unavailable::<io::Error>("removing what an environment has");
        let _guard = self.projects.take(place.project).await;
        let mut record = self.record(place.project)?;
        if !record.environments.contains_key(&place.environment) {
            return Ok(());
        }
        let environment = self.note(place, |it| it.active = Services::NONE)?.of(place.environment);
        record.environments.remove(&place.environment);
        self.s3.close(place);
        if environment.has.redis {
            self.redis(place).stop().await?;
        }
        let cluster = self.cluster(place.project);
        if !record.has_postgres() {
            cluster.stop().await?;
            cluster.remove().await.map_err(failed())?;
        } else if environment.has.postgres {
            cluster.start().await?;
            cluster.drop(place.environment).await?;
            self.settle_postgres(&record, place.project).await?;
        }
        let folder = self.means.layout.environment(place);
        self.means.trash.take(&folder).await.map_err(failed())?;
        let ports = format!("{}/{}/", place.project, place.environment);
        self.means.ports.release(&ports).map_err(failed())?;
        if record.environments.is_empty() {
            self.means
                .trash
                .take(&self.means.layout.project(place.project))
                .await
                .map_err(failed())?;
            return Ok(());
        }
        write_json(&self.means.layout.record(place.project), &record).map_err(failed())
    }

    async fn places(&self) -> Result<Vec<Place>, ServiceError> {
        let projects = self.means.layout.projects();
        let projects = projects.map_err(ServiceError::unavailable("listing projects"))?;
        let mut places = Vec::new();
        for project in projects {
            let record = self.record(project)?;
            places.extend(
                record
                    .environments
                    .keys()
                    .map(|environment| Place { project, environment: *environment }),
            );
        }
        Ok(places)
    }

    async fn stalled(&self) -> Result<Vec<Place>, ServiceError> {
        let mut stalled = Vec::new();
        for place in self.places().await? {
            if !self.all_runs(place)? {
                stalled.push(place);
            }
        }
        Ok(stalled)
    }

    async fn dump(
        &self,
        place: Place,
        to: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<u64, ServiceError> {
        let needed = self.need_postgres(place).await?;
        let bytes = self.cluster(place.project).dump(place.environment, to).await;
        self.no_longer_need_postgres(needed, place.project).await?;
        bytes
    }

    async fn restore(
        &self,
        place: Place,
        from: &mut (dyn AsyncRead + Unpin + Send),
    ) -> Result<(), ServiceError> {
        let _alone = self.restores.take(place).await;
        let needed = self.need_postgres(place).await?;
        let cluster = self.cluster(place.project);
        let read = cluster.read_dump(place.environment, from).await;
        let done = {
            let _guard = self.projects.take(place.project).await;
            match read {
                Ok(()) => cluster.finish_restore(place.environment).await,
                Err(error) => cluster.abandon_restore(place.environment).await.and(Err(error)),
            }
        };
        self.no_longer_need_postgres(needed, place.project).await?;
        done
    }
}

fn variable((key, value): (&'static str, SecretString)) -> Result<Variable, ServiceError> {
    let key = key.parse().map_err(ServiceError::unavailable("naming a variable"))?;
    Ok(Variable { key, value })
}
