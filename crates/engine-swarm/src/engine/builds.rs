//! Builds: what only this engine knows about them.

use std::{collections::HashSet, path::Path};

use async_trait::async_trait;
use bollard::{
    models::{ImageInspect, SystemInfo, SystemInfoCgroupDriverEnum},
    query_parameters::{ListImagesOptions, RemoveImageOptions},
};
use windlass_domain::BuildId;
use windlass_engine::{BuildRequest, EngineError};
use windlass_engine_kit::{
    cgroup::Group,
    checkout::CheckoutOrder,
    faults::internal,
    order::{millis, plain},
    runs::Workshop,
};

use super::{Shared, spec::Origin};
use crate::{
    daemon::{daemon_error, found, status},
    names::{BRANCH, BUILD, COMMIT, Namespace, read},
    order::{BuildOrder, Order},
    supervisor::end_children,
};

/// Tells this installation's control groups from those of others.
pub(super) fn group_name(namespace: &Namespace) -> String {
    format!("windlass-swarm-{}", String::from(namespace.clone()))
}

#[async_trait]
impl Workshop<BuildRequest> for Shared {
    async fn prepare(&self, request: &BuildRequest, _: &Path) -> Result<Vec<u8>, EngineError> {
        Workshop::<BuildRequest>::clear(self, request.build).await?;
        let info = self.info().await?;
        let limits = request.limits;
        let (allow_local, variables) =
            (self.config.allow_local_git, self.config.git_environment.clone());
        let order = Order::Build(Box::new(BuildOrder {
            build: request.build,
            project: request.project,
            checkout: CheckoutOrder::new(request, allow_local, variables),
            recipe: (&request.recipe).into(),
            variables: plain(&request.variables),
            limits: (&limits).into(),
            wall_millis: millis(limits.wall),
            log_bytes: limits.log_bytes,
            endpoint: self.config.endpoint.clone(),
            namespace: self.config.namespace.clone(),
            registry: self.config.registry.clone(),
            base_images: self.config.base_images.clone(),
            parent: self.parent_of_steps(&info, request.build),
            group: self.group_for_builds(&info, &request.build.to_string()),
        }));
        serde_json::to_vec(&order).map_err(internal("writing an order"))
    }

    async fn clear(&self, build: BuildId) -> Result<(), EngineError> {
        let docker = self.daemon.docker().await?;
        let info = self.info().await?;
        end_children(docker, &self.parent_of_steps(&info, build))
            .await
            .map_err(daemon_error("ending a build"))?;
        self.group_for_builds(&info, &build.to_string()).remove().await;
        self.remove_image(build).await
    }
}

impl Shared {
    /// A control group for a build, where the daemon's are this machine's, and ours to make.
    pub(super) fn group_for_builds(&self, info: &SystemInfo, name: &str) -> Group {
        let is_usable = self.config.endpoint.is_here()
            && info.cgroup_driver == Some(SystemInfoCgroupDriverEnum::CGROUPFS);
        if is_usable { self.hierarchy.group(name) } else { Group::Absent }
    }

    /// Whose children the containers of a build's steps are. Each build has its own, which tells
    /// them from all others.
    fn parent_of_steps(&self, info: &SystemInfo, build: BuildId) -> String {
        let name = build.to_string();
        if let Some(path) = self.group_for_builds(info, &name).path() {
            return path;
        }
        let name = format!("{}.{build}", group_name(&self.config.namespace));
        if info.cgroup_driver == Some(SystemInfoCgroupDriverEnum::SYSTEMD) {
            // What systemd takes; hyphens would make it a grandchild.
            format!("{}.slice", name.replace(['-', '.'], "_"))
        } else {
            format!("/{name}")
        }
    }

    pub(super) fn image_name(&self, build: BuildId) -> String {
        let registry = self.config.registry.as_ref().map(|registry| registry.address.as_str());
        self.config.namespace.image(registry, build)
    }

    /// What a build has made, if it is there.
    pub(super) async fn image(&self, build: BuildId) -> Result<Option<ImageInspect>, EngineError> {
        let docker = self.daemon.docker().await?;
        let image = found(docker.inspect_image(&self.image_name(build)).await)
            .map_err(daemon_error("looking for an image"))?;
        let labels = |image: &ImageInspect| image.config.as_ref()?.labels.clone();
        Ok(image.filter(|image| self.config.namespace.owns(labels(image).as_ref())))
    }

    /// What a build has made, for whatever runs in it.
    pub(super) async fn built(
        &self,
        build: BuildId,
    ) -> Result<(ImageInspect, Origin), EngineError> {
        let image = self.image(build).await?.ok_or_else(|| {
            let text = format!("what {build} built is not kept any more; build it again");
            EngineError::Refused(text)
        })?;
        let labels = image.config.as_ref().and_then(|config| config.labels.as_ref());
        let label = |name| read(labels, name).unwrap_or_default();
        let origin = Origin { branch: label(BRANCH), commit: label(COMMIT) };
        Ok((image, origin))
    }

    /// Removes what a build has made, unless it is in use.
    async fn remove_image(&self, build: BuildId) -> Result<(), EngineError> {
        if self.image(build).await?.is_none() {
            return Ok(());
        }
        let docker = self.daemon.docker().await?;
        // Containers that have ended hold it until the swarm clears them away.
        let options = RemoveImageOptions { force: true, ..RemoveImageOptions::default() };
        match docker.remove_image(&self.image_name(build), Some(options), None).await {
            // One that still runs does in any case.
            Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(()),
            Err(error) => Err(daemon_error("removing an image")(error)),
            Ok(_) => Ok(()),
        }
    }

    pub(super) async fn kept_builds(&self) -> Result<Vec<BuildId>, EngineError> {
        let filters = Some(self.config.namespace.filter(None));
        let options = ListImagesOptions { filters, ..ListImagesOptions::default() };
        let docker = self.daemon.docker().await?;
        let images =
            docker.list_images(Some(options)).await.map_err(daemon_error("listing images"))?;
        let builds: HashSet<BuildId> = images
            .iter()
            .filter(|image| !image.repo_tags.is_empty())
            .filter_map(|image| read(Some(&image.labels), BUILD))
            .collect();
        Ok(builds.into_iter().collect())
    }

    pub(super) async fn remove_builds(&self, builds: &[BuildId]) -> Result<(), EngineError> {
        let _guard = self.begin.lock().await;
        let apps = self.observe().await?.into_iter().map(|app| app.build);
        let used: HashSet<BuildId> = apps.chain(self.tasks.builds()).collect();
        for build in builds {
            if !used.contains(build) && !self.builds.runs(*build) {
                self.remove_image(*build).await?;
            }
        }
        Ok(())
    }
}
