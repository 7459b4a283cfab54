//! The closed list of rights that a route can ask for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The right to do one kind of thing, written `resource:action`.
///
/// Every route asks for exactly one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// `projects:read`
    ProjectsRead,
    /// `projects:write`
    ProjectsWrite,
    /// `environments:read`
    EnvironmentsRead,
    /// `environments:write`
    EnvironmentsWrite,
    /// `deployments:read`
    DeploymentsRead,
    /// `deployments:write`
    DeploymentsWrite,
    /// `logs:read`
    LogsRead,
    /// `env_vars:read`
    EnvVarsRead,
    /// `env_vars:write`
    EnvVarsWrite,
    /// `usage:read`
    UsageRead,
    /// `metrics:read`
    MetricsRead,
    /// `api_keys:read`
    ApiKeysRead,
    /// `api_keys:write`
    ApiKeysWrite,
    /// `tokens:read`
    TokensRead,
    /// `tokens:write`
    TokensWrite,
    /// `members:read`
    MembersRead,
    /// `members:write`
    MembersWrite,
    /// `organizations:read`
    OrganizationsRead,
    /// `organizations:write`
    OrganizationsWrite,
    /// `audit:read`
    AuditRead,
    /// `builds:read`
    BuildsRead,
    /// `builds:write`
    BuildsWrite,
    /// `submissions:read`
    SubmissionsRead,
    /// `submissions:write`
    SubmissionsWrite,
    /// `updates:read`
    UpdatesRead,
    /// `updates:write`
    UpdatesWrite,
}

/// The text names no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a permission such as projects:read")]
pub struct ParsePermissionError;

impl Permission {
    /// Every permission there is.
    pub const ALL: [Self; 26] = [
        Self::ProjectsRead,
        Self::ProjectsWrite,
        Self::EnvironmentsRead,
        Self::EnvironmentsWrite,
        Self::DeploymentsRead,
        Self::DeploymentsWrite,
        Self::LogsRead,
        Self::EnvVarsRead,
        Self::EnvVarsWrite,
        Self::UsageRead,
        Self::MetricsRead,
        Self::ApiKeysRead,
        Self::ApiKeysWrite,
        Self::TokensRead,
        Self::TokensWrite,
        Self::MembersRead,
        Self::MembersWrite,
        Self::OrganizationsRead,
        Self::OrganizationsWrite,
        Self::AuditRead,
        Self::BuildsRead,
        Self::BuildsWrite,
        Self::SubmissionsRead,
        Self::SubmissionsWrite,
        Self::UpdatesRead,
        Self::UpdatesWrite,
    ];

    /// Its stable name, such as `projects:read`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name_and_description().0
    }

    /// What it lets one do, in a few words for people.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.name_and_description().1
    }

    /// Whether it only lets one see things.
    #[must_use]
    pub fn is_read(self) -> bool {
        self.name().ends_with(":read")
    }

    /// Whether what it shows is not for everybody who may look around.
    ///
    /// Variables are masked, but the ends of long values are not; and what people did, from where,
    /// is their own affair and that of whoever decides who gets in.
    #[must_use]
    pub fn is_confidential(self) -> bool {
        matches!(self, Self::EnvVarsRead | Self::AuditRead)
    }

    const fn name_and_description(self) -> (&'static str, &'static str) {
        match self {
            Self::ProjectsRead => ("projects:read", "See projects and their settings"),
            Self::ProjectsWrite => ("projects:write", "Create, change and delete projects"),
            Self::EnvironmentsRead => ("environments:read", "See environments"),
            Self::EnvironmentsWrite => ("environments:write", "Create and destroy environments"),
            Self::DeploymentsRead => ("deployments:read", "See deployments"),
            Self::DeploymentsWrite => ("deployments:write", "Deploy, cancel and roll back"),
            Self::LogsRead => ("logs:read", "Read the logs of builds and apps"),
            Self::EnvVarsRead => ("env_vars:read", "See variables, their values masked"),
            Self::EnvVarsWrite => ("env_vars:write", "Set and delete variables"),
            Self::UsageRead => ("usage:read", "See what was used and billed"),
            Self::MetricsRead => ("metrics:read", "Read the server's metrics"),
            Self::ApiKeysRead => ("api_keys:read", "See API keys, never the keys themselves"),
            Self::ApiKeysWrite => ("api_keys:write", "Create, rotate and revoke API keys"),
            Self::TokensRead => ("tokens:read", "See tokens, never the tokens themselves"),
            Self::TokensWrite => ("tokens:write", "Create and revoke tokens"),
            Self::MembersRead => ("members:read", "See members and invitations"),
            Self::MembersWrite => {
                ("members:write", "Invite and remove members, and set their roles")
            }
            Self::OrganizationsRead => ("organizations:read", "See the organization"),
            Self::OrganizationsWrite => ("organizations:write", "Change the organization"),
            Self::AuditRead => ("audit:read", "See who did what, and what was refused"),
            Self::BuildsRead => ("builds:read", "See builds"),
            Self::BuildsWrite => ("builds:write", "Start and cancel builds"),
            Self::SubmissionsRead => ("submissions:read", "See submissions to stores"),
            Self::SubmissionsWrite => {
                ("submissions:write", "Start and cancel submissions to stores")
            }
            Self::UpdatesRead => ("updates:read", "See published updates"),
            Self::UpdatesWrite => ("updates:write", "Publish updates"),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Permission {
    type Err = ParsePermissionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.name() == text)
            .ok_or(ParsePermissionError)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
