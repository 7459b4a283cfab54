//! Links to one log each, for people who have no credential.

use chrono::{DateTime, TimeDelta, Utc};
use windlass_auth::{
    Credential, NarrowError, Narrowing, NewToken, Permission, PlainToken, TokenPurpose, attenuate,
};
use windlass_domain::{DeploymentId, EnvironmentId, Name, NameError, ProjectId};

use super::mint;
use crate::{Caller, Control, ControlError, deployment, environment};

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
    let project = find(control, caller, link.log).await?;
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
    let expires_at = minted.record.expires_at;
    Ok(CreatedLink { token: narrow(minted.token.expose())?, expires_at })
}

/// Finds the project of a log that the caller may read.
async fn find(
    control: &Control,
    caller: &Caller,
    log: LinkedLog,
) -> Result<ProjectId, ControlError> {
    let mut uow = control.store().read().await?;
    let permission = Permission::LogsRead;
    Ok(match log {
        LinkedLog::Deployment(id) => {
            deployment::find(&mut *uow, caller, permission, id).await?.project_id
        }
        LinkedLog::Environment(id) => {
            environment::find(&mut *uow, caller, permission, id).await?.project_id
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
