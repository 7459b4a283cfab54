//! Collects everything that is wrong with a request's fields, so that it is told at once.

use std::{fmt::Display, str::FromStr};

use crate::problem::{FieldError, Problem};

/// Everything that is wrong with a request's fields so far.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// Notes that a field cannot be accepted; the message goes on after its name.
    pub(crate) fn refuse(&mut self, field: &str, message: impl Display) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.to_string() });
    }

    /// Makes a type out of a field's text, or notes why that is impossible.
    pub(crate) fn parse<T>(&mut self, field: &str, text: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.check(field, text.parse())
    }

    /// Unwraps a field's value, or notes why there is none.
    pub(crate) fn check<T, E: Display>(&mut self, field: &str, made: Result<T, E>) -> Option<T> {
        made.map_err(|err| self.refuse(field, err)).ok()
    }

    /// Ends the collection: `whole` is there exactly when nothing was refused.
    pub(crate) fn finish<T>(self, whole: Option<T>) -> Result<T, Problem> {
        match whole {
            Some(whole) if self.errors.is_empty() => Ok(whole),
            Some(_) | None => Err(Problem::invalid(self.errors)),
        }
    }
}
