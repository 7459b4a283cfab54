//! The pages for people.

mod browser;
mod signing_in;

pub(crate) use self::browser::{form, open, submit, visit};
