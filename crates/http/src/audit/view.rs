//! Lines of the audit log as JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windlass_auth::{Actor, AuditEntry, AuditObject, AuditOutcome, CredentialKind};

/// What somebody did or was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditEntryView {
    #[schema(example = "aud_01kdvdna00000000000000000a")]
    id: String,
    at: DateTime<Utc>,
    /// Who it was; `null` for a credential that opens nothing.
    actor: Option<ActorView>,
    /// What was asked for: the id of an operation, or the name of an operator's command.
    #[schema(example = "create_project")]
    action: String,
    /// The permission that was decided about, where one was.
    #[schema(example = "projects:write")]
    permission: Option<String>,
    /// What it was done to, as far as that is known.
    target: Option<TargetView>,
    outcome: OutcomeView,
    /// How often: more than once only for credentials that open nothing.
    #[schema(example = 1)]
    times: u32,
    /// The request, as the server's logs name it; the first of several.
    #[schema(example = "0f0a4b1e-2f7c-4a53-9c6e-5b7d1c0b9a11")]
    request_id: Option<String>,
    /// Where the request came from, as far as that is known.
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
}

/// Who did something or was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditActor)]
pub(crate) struct ActorView {
    kind: ActorKindView,
    /// On whose behalf; `null` for the operator, forges and the platform.
    #[schema(example = "usr_01kdvdna000000000000000001")]
    user_id: Option<String>,
    /// Which credential, where one was presented.
    #[schema(example = "key_01kdvdna000000000000000002")]
    credential_id: Option<String>,
    /// How the credential is called, or what the forge told of.
    #[schema(example = "API key \"ci\"")]
    label: Option<String>,
}

/// What somebody presented; a person who signs in has nothing yet, the operator acts on the
/// server's own machine, a forge signs what it tells, and the platform acts when the time has come.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActorKindView {
    ApiKey,
    Token,
    Session,
    Person,
    Operator,
    Forge,
    Platform,
}

/// What something was done to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditTarget)]
pub(crate) struct TargetView {
    /// What kind of thing.
    #[schema(example = "project")]
    kind: String,
    #[schema(example = "proj_01kdvdna000000000000000003")]
    id: String,
    /// The project that it is or is in.
    #[schema(example = "proj_01kdvdna000000000000000003")]
    project_id: Option<String>,
    /// The environment that it is or is in.
    environment_id: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuditOutcome)]
pub(crate) enum OutcomeView {
    Done,
    Refused,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry {
            id,
            organization_id: _,
            at,
            actor,
            action,
            permission,
            object,
            outcome,
            times,
            request_id,
            address,
        } = entry;
        Self {
            id: id.to_string(),
            at,
            actor: actor.map(ActorView::from),
            action,
            permission,
            target: object.map(TargetView::from),
            outcome: outcome.into(),
            times,
            request_id,
            address: address.map(|address| address.to_string()),
        }
    }
}

impl ActorView {
    /// Somebody who is no user and presents no credential.
    fn of(kind: ActorKindView, label: Option<String>) -> Self {
        Self { kind, user_id: None, credential_id: None, label }
    }
}

impl From<Actor> for ActorView {
    fn from(actor: Actor) -> Self {
        match actor {
            Actor::Credential { kind, id, user_id, label } => Self {
                kind: match kind {
                    CredentialKind::ApiKey => ActorKindView::ApiKey,
                    CredentialKind::Token => ActorKindView::Token,
                    CredentialKind::Session => ActorKindView::Session,
                },
                user_id: Some(user_id.to_string()),
                credential_id: Some(id),
                label: Some(label),
            },
            Actor::Person(user_id) => Self {
                kind: ActorKindView::Person,
                user_id: Some(user_id.to_string()),
                credential_id: None,
                label: None,
            },
            Actor::Operator => Self::of(ActorKindView::Operator, None),
            Actor::Forge { label } => Self::of(ActorKindView::Forge, Some(label)),
            Actor::Platform => Self::of(ActorKindView::Platform, None),
        }
    }
}

impl From<AuditObject> for TargetView {
    fn from(object: AuditObject) -> Self {
        let AuditObject { kind, id, project_id, environment_id } = object;
        Self {
            kind,
            id,
            project_id: project_id.map(|id| id.to_string()),
            environment_id: environment_id.map(|id| id.to_string()),
        }
    }
}

impl From<AuditOutcome> for OutcomeView {
    fn from(outcome: AuditOutcome) -> Self {
        match outcome {
            AuditOutcome::Done => Self::Done,
            AuditOutcome::Refused => Self::Refused,
        }
    }
}

impl From<OutcomeView> for AuditOutcome {
    fn from(outcome: OutcomeView) -> Self {
        match outcome {
            OutcomeView::Done => Self::Done,
            OutcomeView::Refused => Self::Refused,
        }
    }
}
