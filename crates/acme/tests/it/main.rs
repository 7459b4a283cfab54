//! Certificates from a real authority, Pebble, that looks at challenges at a real ingress.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test itself")]

mod accounts;
mod authorities;
mod certificates;
mod challenges;
mod dns;
mod pebble;
mod site;
mod tls;
