//! Webhooks of forges: with which secrets they are signed, and what came of each delivery.

use chrono::{DateTime, Utc};

use crate::{
    BranchName, CommitId, DeploymentId, EnvironmentId, Id, IdKind, OrganizationId, ProjectId,
    SealedValue,
};

/// A secret that a project shares with its forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecret {
    /// Identifier; the value is sealed to it.
    pub id: WebhookSecretId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The project.
    pub project_id: ProjectId,
    /// The secret, encrypted.
    pub value: SealedValue,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it is good; for good where absent.
    pub ends_at: Option<DateTime<Utc>>,
}

/// Identifier of a [`WebhookSecret`].
pub type WebhookSecretId = Id<WebhookSecret>;

impl IdKind for WebhookSecret {
    const PREFIX: &'static str = "whs";
}

/// A message of a forge about a project, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// Identifier.
    pub id: WebhookDeliveryId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The project.
    pub project_id: ProjectId,
    /// The product that sent it, such as `github`.
    pub forge: String,
    /// How the forge calls it; unique in the project.
    pub forge_id: String,
    /// A digest of all that it says, where no other message can say the same; unique in the
    /// project.
    pub digest: Option<String>,
    /// What it tells of, such as `push`.
    pub event: String,
    /// What it asks for.
    pub wish: WebhookWish,
    /// What came of it.
    pub outcome: WebhookOutcome,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

/// Identifier of a [`WebhookDelivery`].
pub type WebhookDeliveryId = Id<WebhookDelivery>;

impl IdKind for WebhookDelivery {
    const PREFIX: &'static str = "whd";
}

/// What a message of a forge asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookWish {
    /// To deploy a branch.
    Deploy {
        /// The branch.
        branch: BranchName,
        /// Where it points to, as far as the forge knew.
        commit: CommitId,
    },
    /// To take a branch's preview down.
    Remove {
        /// The branch.
        branch: BranchName,
    },
    /// Nothing.
    Nothing,
}

/// What came of a message of a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// A deployment.
    Deployed {
        /// Where.
        environment_id: EnvironmentId,
        /// Which.
        deployment_id: DeploymentId,
    },
    /// A preview is taken down.
    Removed {
        /// Which.
        environment_id: EnvironmentId,
    },
    /// Nothing yet: the branch's environment is being taken down, and comes back afterwards.
    Waiting,
    /// Nothing, as it should be.
    Ignored {
        /// Why, for people.
        why: String,
    },
    /// Nothing, since a limit or a state forbids it.
    Refused {
        /// Why, for people.
        why: String,
    },
}

impl WebhookOutcome {
    /// The outcome's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Deployed { .. } => "deployed",
            Self::Removed { .. } => "removed",
            Self::Waiting => "waiting",
            Self::Ignored { .. } => "ignored",
            Self::Refused { .. } => "refused",
        }
    }
}
