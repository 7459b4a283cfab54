//! Failures of a back end, in terms that callers can act on.

use std::error::Error;

/// Why a storage operation failed.
///
/// "Not found" is not here: look-ups return `Option`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique value is already taken; the text names it.
    #[error("this {0} is already taken")]
    Taken(&'static str),

    /// Another transaction won; trying again may work.
    #[error("the database is busy")]
    Busy(#[source] Box<dyn Error + Send + Sync>),

    /// The database cannot be reached; trying again later may work.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),

    /// A stored row does not make sense.
    #[error("corrupt row in `{table}`")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong with the row.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },

    /// Anything else.
    #[error("the database failed")]
    Backend(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same call may work later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Unreachable(_) => true,
            Self::Taken(_) | Self::Corrupt { .. } | Self::Backend(_) => false,
        }
    }
}
