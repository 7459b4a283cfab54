//! What single values may be: how each is read, and how a JSON Schema says it.

use serde_json::Value;

use crate::scalar::Scalar;

mod amount;
mod pattern;
mod switch;
mod text;
pub(crate) mod variable;

pub(crate) use self::{
    amount::{CPU, MEMORY, PORT, REPLICAS, TIMEOUT},
    switch::Switch,
    text::{COMMAND, HEALTH_PATH, NAME, PATH},
};

/// What a value may be.
pub(crate) trait Kind<V> {
    /// What it must be.
    fn expected(&self) -> String;

    /// Reads it, or says what is wrong with it.
    fn read(&self, scalar: Scalar<'_>) -> Result<V, String>;

    /// The same as a JSON Schema.
    fn schema(&self) -> Value;
}

fn refused(expected: &str, scalar: Scalar<'_>) -> String {
    format!("must be {expected}, and is {scalar}")
}

/// The same, with what to do where only the quotes are wrong.
fn refused_in_quotes(
    expected: &str,
    scalar: Scalar<'_>,
    is_fine: impl Fn(Scalar<'_>) -> bool,
) -> String {
    let message = refused(expected, scalar);
    match scalar {
        Scalar::Text(text) if is_fine(Scalar::of_plain(text)) => {
            format!("{message}: remove the quotes")
        }
        Scalar::Text(_) | Scalar::Null | Scalar::Bool(..) | Scalar::Number(..) => message,
    }
}
