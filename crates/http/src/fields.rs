//! Collects everything that is wrong with a request's fields, so that it is told at once.

use std::{fmt::Display, str::FromStr};

use chrono::TimeDelta;

use crate::{
    extract::Whole,
    problem::{FieldError, Problem},
};

/// More items of a list than anybody has a use for.
const MOST_ITEMS: usize = 100;

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

    /// Makes a type out of each text of a list, or notes which are in the way.
    pub(crate) fn many<T>(&mut self, field: &str, texts: &[String]) -> Vec<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        if MOST_ITEMS < texts.len() {
            self.refuse(field, format!("must not have more than {MOST_ITEMS} items"));
            return Vec::new();
        }
        let item = |(index, text): (usize, &String)| self.parse(&format!("{field}.{index}"), text);
        texts.iter().enumerate().filter_map(item).collect()
    }

    /// Makes a span out of seconds, of which there must be one and at most `most`.
    pub(crate) fn life(&mut self, field: &str, seconds: Whole, most: i64) -> Option<TimeDelta> {
        let seconds = i64::from(seconds.0);
        let is_fine = (1..=most).contains(&seconds);
        let life = TimeDelta::try_seconds(seconds).filter(|_| is_fine);
        self.check(field, life.ok_or_else(|| format!("must be between 1 and {most}")))
    }

    /// Ends the collection: `whole` is there exactly when nothing was refused.
    pub(crate) fn finish<T>(self, whole: Option<T>) -> Result<T, Problem> {
        match whole {
            Some(whole) if self.errors.is_empty() => Ok(whole),
            Some(_) | None => Err(Problem::invalid(self.errors)),
        }
    }
}
