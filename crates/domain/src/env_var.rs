//! Environment variables: write-only values for builds and apps.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use crate::{EnvironmentId, Id, IdKind, OrganizationId, ProjectId};

/// A variable of a project, or of one of its environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvVar {
    /// Identifier; the value is sealed to it.
    pub id: EnvVarId,
    /// The tenant that owns it.
    pub organization_id: OrganizationId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The only environment that gets it; all of the project's where absent.
    pub environment_id: Option<EnvironmentId>,
    /// Whether previews get it, too. One of an environment is for that one in any case.
    pub previews: bool,
    /// Its name.
    pub key: EnvVarKey,
    /// Its value, encrypted.
    pub value: SealedValue,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its value was last set.
    pub updated_at: DateTime<Utc>,
}

/// Identifier of an [`EnvVar`].
pub type EnvVarId = Id<EnvVar>;

impl IdKind for EnvVar {
    const PREFIX: &'static str = "var";
}

/// An encrypted value, and which key opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// Names the key in the key file.
    pub key_id: u32,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for SealedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedValue(key {}, {} bytes)", self.key_id, self.bytes.len())
    }
}

/// A name that every shell can set: a letter or `_`, then letters, digits and `_`, 128 at most.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvVarKey(String);

/// Why a text is not an [`EnvVarKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvVarKeyError {
    /// It could not be set in a shell.
    #[error("must be 1 to 128 of A-Z, a-z, 0-9 and _, and not begin with a digit")]
    Form,
    /// The platform sets it.
    #[error("is set by the platform and cannot be changed")]
    Reserved,
}

impl EnvVarKey {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvVarKey {
    type Err = EnvVarKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
        if !(1..=128).contains(&text.len()) || starts_with_digit || !text.chars().all(allowed) {
            return Err(EnvVarKeyError::Form);
        }
        // `PORT` is chosen by the engine; `LD_*` would reach into the confinement's own programs.
        if text == "PORT" || text.starts_with("WINDLASS_") || text.starts_with("LD_") {
            return Err(EnvVarKeyError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for EnvVarKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value cannot be given to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at most 32768 bytes and contain no NUL character")]
pub struct EnvVarValueError;

/// Checks that a value can be given to a process as it is; nothing is trimmed or expanded.
pub fn check_env_var_value(value: &str) -> Result<(), EnvVarValueError> {
    if 32_768 < value.len() || value.contains('\0') { Err(EnvVarValueError) } else { Ok(()) }
}
