//! Use cases on environment variables: write-only values.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use windlass_auth::Permission;
use windlass_domain::{
    EnvVar, EnvVarId, EnvVarKey, Environment, EnvironmentId, EnvironmentKind, OrganizationId, Page,
    PageRequest, Project, ProjectId,
};
use windlass_engine::Variable;
use windlass_storage::UnitOfWork;

use crate::{Caller, Control, ControlError, environment, project};

/// Values of at least this many characters show their last ones in a list.
const SHOWN_FROM: usize = 12;
/// What stands for a value.
const MASK: &str = "********";
/// How many characters are shown.
const SHOWN: usize = 4;

/// A variable without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvVarView {
    /// The variable.
    pub var: EnvVar,
    /// `********`, and the value's last characters where it is long enough.
    pub masked: String,
}

/// A variable to create or to change.
#[derive(Debug)]
pub struct PutEnvVar {
    /// Its name.
    pub key: EnvVarKey,
    /// Its value, kept byte for byte.
    pub value: SecretString,
    /// The only environment that gets it; all of the project's where absent.
    pub environment_id: Option<EnvironmentId>,
    /// Whether previews get it; as before where absent, and they do where it is new.
    pub previews: Option<bool>,
}

/// Lists a project's variables, newest first, with their values masked.
pub async fn list_env_vars(
    control: &Control,
    caller: &Caller,
    project: ProjectId,
    page: PageRequest<EnvVarId>,
) -> Result<Page<EnvVarView>, ControlError> {
    let mut uow = control.store().read().await?;
    project::find(&mut *uow, caller, Permission::EnvVarsRead, project).await?;
    let page = uow.env_vars().list(caller.organization(), project, page).await?;

    let view = |var: EnvVar| {
        // One that does not open can still be seen, and set anew.
        let masked = control.open_value(&var).map_or_else(|_| MASK.to_owned(), |it| mask(&it));
        EnvVarView { var, masked }
    };
    Ok(Page { items: page.items.into_iter().map(view).collect(), has_next: page.has_next })
}

/// Creates a variable, or sets the one of the same name at the same level anew. Builds and apps
/// that start from now on get it.
pub async fn put_env_var(
    control: &Control,
    caller: &Caller,
    project: ProjectId,
    put: PutEnvVar,
) -> Result<EnvVarView, ControlError> {
    let PutEnvVar { key, value, environment_id, previews } = put;
    let organization = caller.organization();
    let now = control.fx().clock.now();
    let mut uow = control.store().write().await?;
    // Holding the project's row, two puts of one name follow one another.
    let (_, grant) =
        project::find_for_update(&mut *uow, caller, Permission::EnvVarsWrite, project).await?;
    if let Some(id) = environment_id {
        match environment::find(&mut *uow, caller, Permission::EnvVarsWrite, id).await {
            Ok(found) if found.project_id == project => found.check_deployable()?,
            Ok(_) | Err(ControlError::NotFound(_)) => {
                let message = "is not an environment of this project".to_owned();
                return Err(ControlError::Invalid { field: "environment_id", message });
            }
            Err(err) => return Err(err),
        }
    }

    let existing =
        uow.env_vars().find_by_key_for_update(organization, project, environment_id, &key).await?;
    let id = existing.as_ref().map_or_else(|| EnvVarId::generate(control.fx()), |var| var.id);
    let sealed = control.seal_value(id, &value)?;
    let var = if let Some(var) = existing {
        let previews = previews.unwrap_or(var.previews);
        let var = EnvVar { value: sealed, previews, updated_at: now, ..var };
        uow.env_vars().update(&var).await?;
        var
    } else {
        let var = EnvVar {
            id,
            organization_id: organization,
            project_id: project,
            environment_id,
            previews: previews.unwrap_or(true),
            key,
            value: sealed,
            created_at: now,
            updated_at: now,
        };
        uow.env_vars().insert(&var).await?;
        var
    };
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(EnvVarView { var, masked: mask(&value) })
}

/// Removes a variable. What runs keeps it until it is started again.
pub async fn delete_env_var(
    control: &Control,
    caller: &Caller,
    project: ProjectId,
    id: EnvVarId,
) -> Result<(), ControlError> {
    let mut uow = control.store().write().await?;
    let (_, grant) =
        project::find_for_update(&mut *uow, caller, Permission::EnvVarsWrite, project).await?;
    if !uow.env_vars().delete(caller.organization(), project, id).await? {
        return Err(ControlError::NotFound("environment variable"));
    }
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(())
}

/// What an environment's builds and apps get: the project's variables, what the file in the
/// repository says in their place, and the environment's own in place of both.
pub(crate) async fn variables_of(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    project: &Project,
    environment: &Environment,
    of_file: &BTreeMap<EnvVarKey, String>,
) -> Result<Vec<Variable>, ControlError> {
    let organization: OrganizationId = project.organization_id;
    let seen = uow.env_vars().list_seen_by(organization, project.id, environment.id).await?;
    let is_own = |var: &EnvVar| var.environment_id.is_some();
    let is_for_it =
        |var: &EnvVar| is_own(var) || var.previews || environment.kind != EnvironmentKind::Preview;
    let has_own = |key: &EnvVarKey| seen.iter().any(|other| is_own(other) && other.key == *key);
    let wins = |var: &EnvVar| is_own(var) || !(has_own(&var.key) || of_file.contains_key(&var.key));
    let stored = seen.iter().filter(|var| is_for_it(var) && wins(var));
    let stored =
        stored.map(|var| Ok(Variable { key: var.key.clone(), value: control.open_value(var)? }));
    let of_file = of_file.iter().filter(|(key, _)| !has_own(key));
    let of_file =
        of_file.map(|(key, value)| Ok(Variable { key: key.clone(), value: value.clone().into() }));
    stored.chain(of_file).collect()
}

impl Control {
    fn seal_value(
        &self,
        id: EnvVarId,
        value: &SecretString,
    ) -> Result<windlass_domain::SealedValue, ControlError> {
        Ok(self.inner.keyring.seal(&bound_to(id), value, self.fx().entropy)?)
    }

    fn open_value(&self, var: &EnvVar) -> Result<SecretString, ControlError> {
        Ok(self.inner.keyring.open(&bound_to(var.id), &var.value)?)
    }
}

/// What a value is sealed to: moved to another row, it does not open.
fn bound_to(id: EnvVarId) -> String {
    format!("env_var:{id}")
}

fn mask(value: &SecretString) -> String {
    let value = value.expose_secret();
    let count = value.chars().count();
    let shown: String = if SHOWN_FROM <= count {
        value.chars().skip(count - SHOWN).collect()
    } else {
        String::new()
    };
    format!("{MASK}{shown}")
}
