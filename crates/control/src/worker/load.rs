//! Loads what the engine has to be told.

use windlass_domain::{
    BuildId, Deployment, DeploymentId, Environment, OrganizationId, Project, ProjectSettings,
    Resources, Services,
};
use windlass_engine::{
    AppLimits, AppRequest, BuildLimits, BuildRequest, Recipe, SourceCredential, Variable,
};
use windlass_manifest::Manifest;
use windlass_services::ServiceError;
use windlass_storage::{StoreError, StoredManifest, UnitOfWork};

use crate::{Control, ControlError, env_var, log_store::Pipe};

/// Which backing services the app of a deployment asks for.
pub(crate) async fn wanted_services(
    control: &Control,
    organization: OrganizationId,
    deployment: DeploymentId,
) -> Result<Services, LoadError> {
    Ok(load(control, organization, deployment).await?.wanted_services())
}

/// Why a request could not be put together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Its project or its deployment is gone.
    #[error("what was to be built or started is gone")]
    Gone,
    /// Something failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// What it asks for cannot be had.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for LoadError {
    fn from(err: StoreError) -> Self {
        Self::Control(err.into())
    }
}

/// A deployment with everything around it.
pub(super) struct Loaded {
    pub(super) deployment: Deployment,
    pub(super) environment: Environment,
    pub(super) project: Project,
    /// What the repository says about itself, once that was looked up.
    pub(super) manifest: Manifest,
}

/// Loads a deployment with everything around it.
pub(super) async fn load(
    control: &Control,
    organization: OrganizationId,
    id: DeploymentId,
) -> Result<Loaded, LoadError> {
    let mut uow = control.store().read().await?;
    let deployment = find(&mut *uow, organization, id).await?;
    let environment = uow.environments().find(organization, deployment.environment_id).await?;
    let environment = environment.ok_or(LoadError::Gone)?;
    let project = uow.projects().find(organization, deployment.project_id).await?;
    let project = project.ok_or(LoadError::Gone)?;
    let manifest = find_manifest(&mut *uow, organization, deployment.build_id).await?;
    Ok(Loaded { deployment, environment, project, manifest })
}

/// What the repository says about itself in the commit of a build; nothing where it says nothing.
pub(crate) async fn find_manifest(
    uow: &mut dyn UnitOfWork,
    organization: OrganizationId,
    build: BuildId,
) -> Result<Manifest, ControlError> {
    let Some(StoredManifest { file, text }) =
        uow.builds().find_manifest(organization, build).await?
    else {
        return Ok(Manifest::default());
    };
    // Only what can be read is stored.
    windlass_manifest::parse(&file, text).map_err(|err| ControlError::Internal(Box::new(err)))
}

/// Loads only the deployment.
pub(super) async fn find(
    uow: &mut dyn UnitOfWork,
    organization: OrganizationId,
    id: DeploymentId,
) -> Result<Deployment, LoadError> {
    uow.deployments().find(organization, id).await?.ok_or(LoadError::Gone)
}

/// What the engine is told to start the app of a deployment.
pub(crate) async fn load_app_request(
    control: &Control,
    environment: &Environment,
    deployment: DeploymentId,
) -> Result<AppRequest, LoadError> {
    load(control, environment.organization_id, deployment).await?.app_request(control).await
}

impl Loaded {
    /// What the engine is told to build. Only whoever builds or starts needs the variables: with a
    /// lost key everything else goes on.
    pub(super) async fn build_request(
        self,
        control: &Control,
        build: BuildId,
        credential: Option<SourceCredential>,
    ) -> Result<BuildRequest, LoadError> {
        let mut variables = self.variables(control).await?;
        let arguments = &self.manifest.build.args;
        variables.retain(|variable| !arguments.contains_key(&variable.key));
        let arguments = arguments.iter();
        variables.extend(
            arguments
                .map(|(key, value)| Variable { key: key.clone(), value: value.clone().into() }),
        );
        let settings = self.manifest.over(&self.project.settings);
        Ok(BuildRequest {
            build,
            project: self.project.id,
            source: self.project.git_url,
            branch: self.environment.branch,
            commit: self.deployment.commit.ok_or(LoadError::Gone)?,
            credential,
            limits: build_limits(control, &settings),
            recipe: Recipe {
                dockerfile: settings.dockerfile,
                build_context: settings.build_context,
                build_command: settings.build_command,
                start_command: settings.start_command,
            },
            variables,
        })
    }

    /// The backing services that its app asks for.
    pub(super) fn wanted_services(&self) -> Services {
        self.manifest.over(&self.project.settings).services
    }

    /// What the engine is told to start, once what it asks for is there. The project's own
    /// variables win over those of its services: whoever sets `DATABASE_URL` means another one.
    pub(super) async fn app_request(&self, control: &Control) -> Result<AppRequest, LoadError> {
        let wanted = self.wanted_services();
        let mut variables = self.variables(control).await?;
        let provided = control.provide_services(&self.environment, wanted).await?;
        let is_set = |one: &Variable| variables.iter().any(|other| other.key == one.key);
        let provided: Vec<Variable> = provided.into_iter().filter(|one| !is_set(one)).collect();
        variables.extend(provided);
        let pipe = Pipe::of_app(self.environment.id, self.deployment.id);
        let first_line = control.stored_lines(pipe).await?;
        let settings = self.manifest.over(&self.project.settings);
        Ok(AppRequest {
            deployment: self.deployment.id,
            environment: self.environment.id,
            build: self.deployment.build_id,
            limits: app_limits(control, settings.resources),
            start_command: settings.start_command,
            variables,
            port: settings.port,
            health_path: settings.health_path,
            start_timeout: control.settings().start_timeout,
            first_line,
        })
    }

    async fn variables(&self, control: &Control) -> Result<Vec<Variable>, ControlError> {
        let mut uow = control.store().read().await?;
        let Self { project, environment, manifest, .. } = self;
        env_var::variables_of(control, &mut *uow, project, environment, &manifest.env).await
    }
}

/// The server's limits, with the project's own in their place where it has any.
fn build_limits(control: &Control, settings: &ProjectSettings) -> BuildLimits {
    let defaults = control.settings().build_limits;
    let own = settings.build_resources;
    BuildLimits {
        cpu_millis: own.cpu_millis.unwrap_or(defaults.cpu_millis),
        memory_bytes: own.memory_mb.map_or(defaults.memory_bytes, mebibytes),
        wall: own
            .timeout_seconds
            .map_or(defaults.wall, |seconds| std::time::Duration::from_secs(seconds.into())),
        ..defaults
    }
}

/// The same for apps.
pub(crate) fn app_limits(control: &Control, own: Resources) -> AppLimits {
    let defaults = control.settings().app_limits;
    AppLimits {
        cpu_millis: own.cpu_millis.unwrap_or(defaults.cpu_millis),
        memory_bytes: own.memory_mb.map_or(defaults.memory_bytes, mebibytes),
        ..defaults
    }
}

fn mebibytes(count: u32) -> u64 {
    u64::from(count) << 20
}
