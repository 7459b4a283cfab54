//! Bodies, of which only the fields that are needed are kept.
//!
//! Whatever a type does not name is skipped without being built, and without recursion.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Deserializer, error::Category};

use crate::MessageError;

/// The fields that are wanted. Whether they are there is for [`required`] to say.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, MessageError> {
    let mut deserializer = Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|err| explain(&err.path().to_string(), err.inner()))?;
    deserializer.end().map_err(|err| explain(".", &err))?;
    Ok(value)
}

/// The same of a body that may hold anything, as long as it is JSON.
pub(crate) fn parse_any<T: DeserializeOwned>(body: &[u8]) -> Result<Option<T>, MessageError> {
    match parse(body) {
        Ok(value) => Ok(Some(value)),
        Err(MessageError::Field { .. }) => parse::<IgnoredAny>(body).map(|_| None),
        Err(err) => Err(err),
    }
}

/// A field that must be there.
pub(crate) fn required<T>(value: Option<T>, field: &'static str) -> Result<T, MessageError> {
    value.ok_or_else(|| MessageError::field(field))
}

fn explain(path: &str, err: &serde_json::Error) -> MessageError {
    match err.classify() {
        // Of what is wrong with it nothing is said: that would repeat it.
        Category::Data => MessageError::field(path),
        Category::Syntax | Category::Eof | Category::Io => {
            MessageError::NotJson { line: err.line(), column: err.column() }
        }
    }
}
