//! The pages for people.

mod authorize;
mod browser;
mod invitation;
mod secrecy;
mod signing_in;

pub(crate) use self::browser::{Page, form, open, submit, visit};
