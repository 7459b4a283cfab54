//! What the API has answered.

use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What the API has answered: what this program reads of it, and all of it as it came. So a newer
/// server's words reach a script that knows them, even where this program does not.
#[derive(Debug, Clone)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) json: Value,
}

impl<T: DeserializeOwned> Answer<T> {
    pub(crate) fn new(json: Value) -> serde_json::Result<Self> {
        Ok(Self { value: T::deserialize(&json)?, json })
    }
}

impl<T> Deref for Answer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
