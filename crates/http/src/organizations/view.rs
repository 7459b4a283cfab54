//! Organizations as JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windlass_control::Belonging;
use windlass_domain::{Name, Organization};

use crate::{fields::Fields, members::RoleView, problem::Problem};

/// An organization: the projects, keys and people that belong together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
pub(crate) struct OrganizationView {
    #[schema(example = "org_01kdvdna000000000000000000")]
    id: String,
    #[schema(example = "Acme")]
    name: String,
    /// What the person is in it on whose behalf the call is made.
    role: RoleView,
    created_at: DateTime<Utc>,
}

/// What people say of an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrganizationName)]
pub(crate) struct OrganizationBody {
    #[schema(min_length = 1, max_length = 100, example = "Acme")]
    name: String,
}

impl OrganizationBody {
    pub(super) fn parse(&self) -> Result<Name, Problem> {
        let mut fields = Fields::default();
        let name = fields.parse("name", &self.name);
        fields.finish(name)
    }
}

impl From<Belonging> for OrganizationView {
    fn from(belonging: Belonging) -> Self {
        let Belonging { organization: Organization { id, name, plan: _, created_at }, role } =
            belonging;
        Self { id: id.to_string(), name: name.to_string(), role: role.into(), created_at }
    }
}
