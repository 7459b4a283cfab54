//! Files of repositories, as people write them: right, wrong and hostile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod any_text;
mod messages;
mod reading;
mod schema;
mod values;
