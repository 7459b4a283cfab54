//! The one body of all errors.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// What every failed request is answered with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    /// The reason phrase of the status.
    #[schema(example = "Not Found")]
    pub(crate) error: String,
    /// What went wrong, for people.
    #[schema(example = "no such project")]
    pub(crate) message: String,
    /// What went wrong, for programs. A code never changes its meaning.
    #[schema(example = "not_found", pattern = "^[a-z_]+$")]
    pub(crate) code: String,
    /// The request's name in the server's logs; the header `X-Request-Id` says the same.
    #[schema(example = "0f0a4b1e-2f7c-4a53-9c6e-5b7d1c0b9a11")]
    pub(crate) request_id: String,
    /// Each field that cannot be accepted; only in a 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) fields: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The field; a dot leads into an object.
    #[schema(example = "resources.cpu")]
    pub(crate) field: String,
    /// What is wrong with it, as the rest of a sentence that begins with its name.
    #[schema(example = "must be between 0.01 and 1024")]
    pub(crate) message: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.message)
    }
}
