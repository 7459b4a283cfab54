//! Named sets of permissions that people give to a credential.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Permission, PermissionSet};

/// What a credential is for: a set of permissions under one name.
///
/// A credential holds any number of scopes and has what they grant together; one without scopes
/// has nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `build`: see, start and cancel builds.
    Build,
    /// `submit`: see, start and cancel submissions to stores.
    Submit,
    /// `update`: publish updates.
    Update,
    /// `admin`: everything.
    Admin,
    /// `read`: see everything that is not confidential.
    Read,
    /// One permission by its own name.
    Permission(Permission),
}

/// The text names no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of build, submit, update, admin, read, or a permission such as projects:read")]
pub struct ParseScopeError;

impl Scope {
    /// Every scope there is: those with a name of their own, then each permission.
    pub const ALL: [Self; Self::NAMED.len() + Permission::ALL.len()] = {
        let mut all = [Self::Build; Self::NAMED.len() + Permission::ALL.len()];
        let mut index = 0;
        while index < all.len() {
            all[index] = if index < Self::NAMED.len() {
                Self::NAMED[index]
            } else {
                Self::Permission(Permission::ALL[index - Self::NAMED.len()])
            };
            index += 1;
        }
        all
    };

    const NAMED: [Self; 5] = [Self::Build, Self::Submit, Self::Update, Self::Admin, Self::Read];

    /// What it grants.
    #[must_use]
    pub fn permissions(self) -> PermissionSet {
        match self {
            Self::Build => PermissionSet::of(&[Permission::BuildsRead, Permission::BuildsWrite]),
            Self::Submit => {
                PermissionSet::of(&[Permission::SubmissionsRead, Permission::SubmissionsWrite])
            }
            Self::Update => PermissionSet::of(&[Permission::UpdatesWrite]),
            Self::Admin => PermissionSet::ALL,
            Self::Read => PermissionSet::ALL
                .iter()
                .filter(|permission| permission.is_read() && !permission.is_confidential())
                .collect(),
            Self::Permission(permission) => PermissionSet::of(&[permission]),
        }
    }

    /// Its stable name, such as `build` or `projects:read`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Submit => "submit",
            Self::Update => "update",
            Self::Admin => "admin",
            Self::Read => "read",
            Self::Permission(permission) => permission.name(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = ParseScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or(ParseScopeError)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
