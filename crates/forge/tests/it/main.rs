//! What forges send, from the request to the event.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test itself")]

mod examples;
mod gitea;
mod github;
mod gitlab;
mod properties;
mod refusals;
mod support;
