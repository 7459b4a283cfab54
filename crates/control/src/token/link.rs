//! Links to one log each, for people who have no credential.

use chrono::{DateTime, TimeDelta, Utc};
use windlass_auth::{
    Credential, NarrowError, Narrowing, NewToken, Permission, PlainToken, TokenPurpose, attenuate,
};
use windlass_domain::{DeploymentId, EnvironmentId, Name, NameError, ProjectId};

use super::mint;
use crate::{
    Caller, Control, ControlError, audit::Deed, deployment, environment, member::stay_a_member,
};

/// A link to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreateLink {
    /// What it is to open.
    pub log: LinkedLog,
    /// How long. A link never outlives the credential with which it is made.
    pub life: TimeDelta,
}

/// The one log that a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkedLog {
    /// That of the build that a deployment runs.
    Deployment(DeploymentId),
    /// That of an environment's apps.
    Environment(EnvironmentId),
}

/// A link, but for its address.
#[derive(Debug)]
pub struct CreatedLink {
    /// What goes into the address: it opens this log, and nothing elsewhere.
    pub token: PlainToken,
    /// When it stops working by itself.
    pub expires_at: DateTime<Utc>,
}

impl CreateLink {
    /// How long a link can last.
    pub const MAX_LIFE: TimeDelta = TimeDelta::days(30);

    /// How long a link lasts of which nothing is said.
    pub const LIFE: TimeDelta = TimeDelta::hours(1);
}

/// Makes a link to a log that the caller may read. It ends with the credential with which it is
/// made: `presented`, where that is a token.
pub async fn create_link(
    control: &Control,
    caller: &Caller,
    link: CreateLink,
    presented: Option<&str>,
) -> Result<CreatedLink, ControlError> {
    let (project, deed) = find(control, caller, link.log).await?;
    let usual = control.fx().clock.now() + link.life.min(CreateLink::MAX_LIFE);
    let credential = &caller.principal.credential;
    let expires_at = credential.expires_at().map_or(usual, |limit| limit.min(usual));
    let narrowing = Narrowing {
        permissions: Some(vec![Permission::LogsRead]),
        is_read_only: true,
        is_for_link: true,
        expires_at: Some(expires_at),
        ..link.log.narrowing()
    };
    let narrow = |token: &str| attenuate(token, &narrowing, control.fx().entropy);
    let issuing_key = match credential {
        Credential::Token { .. } => {
            let token = narrow(presented.unwrap_or_default())?;
            let mut uow = control.store().write().await?;
            control.write_down(&mut *uow, deed).await?;
            uow.commit().await?;
            return Ok(CreatedLink { token, expires_at });
        }
        Credential::ApiKey { id, .. } => Some(*id),
        Credential::Session { .. } => None,
    };
    let new = NewToken {
        label: link.log.label()?,
        permissions: Some(vec![Permission::LogsRead]),
        is_read_only: true,
        project_ids: Some(vec![project]),
        allowed_addresses: None,
        expires_at: Some(expires_at),
        purpose: TokenPurpose::Link { issuing_key },
    };
    let minted = mint(control, caller, new).await?;
    let link =
        CreatedLink { token: narrow(minted.token.expose())?, expires_at: minted.record.expires_at };
    let mut uow = control.store().write().await?;
    stay_a_member(&mut *uow, caller).await?;
    uow.tokens().insert(&minted.record).await?;
    control.write_down(&mut *uow, deed).await?;
    uow.commit().await?;
    Ok(link)
}

/// Finds the project of a log that the caller may read, and what is done with it.
async fn find(
    control: &Control,
    caller: &Caller,
    log: LinkedLog,
) -> Result<(ProjectId, Deed), ControlError> {
    let mut uow = control.store().read().await?;
    let permission = Permission::LogsRead;
    Ok(match log {
        LinkedLog::Deployment(id) => {
            let (found, grant) =
                deployment::find_granted(&mut *uow, caller, permission, id).await?;
            (found.project_id, caller.did(grant, id))
        }
        LinkedLog::Environment(id) => {
            let found = environment::find(&mut *uow, caller, permission, id).await?;
            let grant = environment::decide(caller, permission, &found)?;
            (found.project_id, caller.did(grant, id))
        }
    })
}

impl LinkedLog {
    fn narrowing(self) -> Narrowing {
        match self {
            Self::Deployment(id) => {
                Narrowing { deployments: Some(vec![id]), ..Narrowing::default() }
            }
            Self::Environment(id) => Narrowing {
                environments: Some(vec![id]),
                excludes_deployments: true,
                ..Narrowing::default()
            },
        }
    }

    fn label(self) -> Result<Name, ControlError> {
        let text = match self {
            Self::Deployment(id) => format!("log of {id}"),
            Self::Environment(id) => format!("log of {id}"),
        };
        text.parse().map_err(|err: NameError| ControlError::Internal(Box::new(err)))
    }
}

impl From<NarrowError> for ControlError {
    fn from(err: NarrowError) -> Self {
        match err {
            NarrowError::Sealed => Self::conflict("token_sealed", err.to_string()),
            NarrowError::TooLong => Self::conflict("token_too_long", err.to_string()),
            NarrowError::Malformed(_) | NarrowError::Nothing | NarrowError::Sign(_) => {
                Self::Internal(Box::new(err))
            }
        }
    }
}
