//! How a failed use case is answered.

use axum::http::StatusCode;
use windlass_auth::Scope;
use windlass_control::ControlError;

use super::{FieldError, Problem};

impl From<ControlError> for Problem {
    fn from(err: ControlError) -> Self {
        match err {
            ControlError::InvalidCredential(kind) => Self::invalid_credential(kind),
            ControlError::NotProven => {
                Self::new(StatusCode::FORBIDDEN, "invalid_signature", err.to_string())
            }
            ControlError::NotFound(what) => Self::not_found(what),
            ControlError::NotSetUp(what) => Self::new(StatusCode::NOT_FOUND, "not_set_up", what),
            ControlError::Forbidden(permission) => {
                Self::insufficient_scope(Scope::Permission(permission))
            }
            ControlError::WrongAddress(kind) => Self::wrong_address(kind),
            ControlError::WrongOrganization => Self::wrong_organization(),
            ControlError::Refused { code, message } => {
                Self::new(StatusCode::FORBIDDEN, code, message)
            }
            ControlError::WrongPassword => Self::wrong_password(),
            ControlError::TooManyAttempts { retry_after } => Self::too_many_attempts(retry_after),
            ControlError::NeedsSession => Self::needs_session(),
            ControlError::NoOrganization => {
                Self::new(StatusCode::FORBIDDEN, "no_organization", err.to_string())
            }
            ControlError::Invalid { field, message } => {
                Self::invalid(vec![FieldError { field: field.to_owned(), message }])
            }
            ControlError::Conflict { code, message } => {
                Self::new(StatusCode::CONFLICT, code, message)
            }
            ControlError::Changed => {
                Self::new(StatusCode::PRECONDITION_FAILED, "changed", err.to_string())
            }
            ControlError::Unavailable(_) => Self::unavailable(err.to_string()).caused_by(err),
            ControlError::Elsewhere { message, .. } => {
                Self::unavailable(message).with_code("unavailable_elsewhere").caused_by(err)
            }
            ControlError::Internal(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal error")
                    .caused_by(err)
            }
        }
    }
}
