//! Why a request is not a message of a forge.

/// Why a request is not a message of a forge. No text repeats what was sent but names of headers
/// and fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Nothing says who sent it.
    #[error(
        "the header `{header}` must prove that the sender knows the webhook's secret: it is {form}"
    )]
    Unsigned {
        /// Where it should be.
        header: &'static str,
        /// What it looks like.
        form: &'static str,
    },
    /// Nothing says what it is about.
    #[error("the header `{0}` must name the event")]
    NoEvent(&'static str),
    /// Nothing tells it from other deliveries.
    #[error("the header `{0}` must identify the delivery: 1 to 100 printable ASCII characters")]
    BadDeliveryId(&'static str),
    /// It is a form, which is not understood.
    #[error("the body must be JSON: choose `application/json` as the webhook's content type")]
    Form,
    /// The body cannot be parsed.
    #[error("the body is not JSON: see line {line}, column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1; 0 before the first character.
        column: usize,
    },
    /// An event that we know lacks something.
    #[error("the body lacks `{field}`, or it is not what the forge documents")]
    Field {
        /// Its path, such as `pull_request.head.sha`.
        field: String,
    },
}

impl MessageError {
    pub(crate) fn field(field: impl Into<String>) -> Self {
        Self::Field { field: field.into() }
    }
}
