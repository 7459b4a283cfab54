//! What is kept of decisions: who did what, and what was refused.

use std::{fmt, net::IpAddr, str::FromStr};

use chrono::{DateTime, Utc};
use windlass_domain::{
    Deployment, EnvVar, Environment, EnvironmentId, Id, IdKind, Organization, OrganizationId,
    Project, ProjectId, User, UserId, WebhookDelivery, WebhookSecret,
};

use crate::{
    ApiKeyRecord, Credential, CredentialKind, InvitationRecord, Principal, SessionRecord, Target,
    TokenRecord,
};

/// A line of the audit log. It never holds a value or a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Identifier; sorts by time.
    pub id: AuditEntryId,
    /// Whose log it is in.
    pub organization_id: OrganizationId,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Who it was; nobody where a credential was presented that opens nothing.
    pub actor: Option<Actor>,
    /// What was asked for: the name of a use case.
    pub action: String,
    /// The name of the permission that was decided about, where one was.
    pub permission: Option<String>,
    /// What it was done to, as far as that is known.
    pub object: Option<AuditObject>,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// How often; more than once only where nobody is known, and lines would be without number.
    pub times: u32,
    /// The request, as the server's logs name it.
    pub request_id: Option<String>,
    /// Where the request came from, as far as that is known.
    pub address: Option<IpAddr>,
}

/// Identifier of an [`AuditEntry`].
pub type AuditEntryId = Id<AuditEntry>;

impl IdKind for AuditEntry {
    const PREFIX: &'static str = "aud";
}

/// Who did something, or tried to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Whoever presented a credential.
    Credential {
        /// What kind of credential.
        kind: CredentialKind,
        /// Which one.
        id: String,
        /// On whose behalf.
        user_id: UserId,
        /// How the credential is named to people; see [`Principal::label`].
        label: String,
    },
    /// A person who presented no credential that lasts, such as somebody who signs in.
    Person(UserId),
    /// Whoever runs the server, on its own machine.
    Operator,
    /// A forge, by a message that it signed with a project's secret.
    Forge {
        /// What it told of, for people.
        label: String,
    },
    /// The platform itself, since the time had come.
    Platform,
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditObject {
    /// What kind of thing, such as `project`.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// The project that it is or is in.
    pub project_id: Option<ProjectId>,
    /// The environment that it is or is in.
    pub environment_id: Option<EnvironmentId>,
}

/// What became of something that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// It was refused, and nothing has changed.
    Refused,
}

/// The text is not an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of done, refused")]
pub struct ParseAuditOutcomeError;

/// A kind of thing that the audit log names.
pub trait Audited: IdKind {
    /// The kind's name, such as `project`.
    const KIND: &'static str;
}

impl Audited for Organization {
    const KIND: &'static str = "organization";
}
impl Audited for User {
    const KIND: &'static str = "user";
}
impl Audited for Project {
    const KIND: &'static str = "project";
}
impl Audited for Environment {
    const KIND: &'static str = "environment";
}
impl Audited for Deployment {
    const KIND: &'static str = "deployment";
}
impl Audited for EnvVar {
    const KIND: &'static str = "env_var";
}
impl Audited for ApiKeyRecord {
    const KIND: &'static str = "api_key";
}
impl Audited for TokenRecord {
    const KIND: &'static str = "token";
}
impl Audited for InvitationRecord {
    const KIND: &'static str = "invitation";
}
impl Audited for WebhookSecret {
    const KIND: &'static str = "webhook_secret";
}
impl Audited for WebhookDelivery {
    const KIND: &'static str = "webhook_delivery";
}
impl Audited for SessionRecord {
    const KIND: &'static str = "session";
}

impl From<&Principal> for Actor {
    fn from(principal: &Principal) -> Self {
        let id = match &principal.credential {
            Credential::ApiKey { id, .. } => id.to_string(),
            Credential::Token { id, .. } => id.to_string(),
            Credential::Session { id, .. } => id.to_string(),
        };
        Self::Credential {
            kind: principal.credential.kind(),
            id,
            user_id: principal.user_id,
            label: principal.label(),
        }
    }
}

impl AuditObject {
    /// A thing that is in no project, unless it is one itself.
    #[must_use]
    pub fn new<K: Audited>(id: Id<K>) -> Self {
        let is_a = |prefix| K::PREFIX == prefix;
        Self {
            kind: K::KIND.to_owned(),
            id: id.to_string(),
            project_id: is_a(Project::PREFIX).then(|| ProjectId::from_uuid(id.to_uuid())),
            environment_id: is_a(Environment::PREFIX)
                .then(|| EnvironmentId::from_uuid(id.to_uuid())),
        }
    }

    /// The same within what a decision was about.
    #[must_use]
    pub fn within(self, target: Target) -> Self {
        Self {
            project_id: self.project_id.or(target.project_id()),
            environment_id: self.environment_id.or(target.environment_id()),
            ..self
        }
    }
}

impl From<Target> for AuditObject {
    /// The smallest thing that a decision was about.
    fn from(target: Target) -> Self {
        let object = match (target.deployment_id(), target.environment_id(), target.project_id()) {
            (Some(id), _, _) => Self::new(id),
            (None, Some(id), _) => Self::new(id),
            (None, None, Some(id)) => Self::new(id),
            (None, None, None) => Self::new(target.organization_id()),
        };
        object.within(target)
    }
}

impl AuditOutcome {
    /// Its stable name: `done` or `refused`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for AuditOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AuditOutcome {
    type Err = ParseAuditOutcomeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Done, Self::Refused];
        all.into_iter().find(|outcome| outcome.name() == text).ok_or(ParseAuditOutcomeError)
    }
}
