//! Use cases on the webhooks of forges: what they tell is deployed, or taken down.

mod deliveries;
mod fulfil;
mod receive;
mod secret;

pub(crate) use self::fulfil::bring_back;
use std::fmt::Write as _;

pub use self::{
    deliveries::{list_webhook_deliveries, redeliver_webhook},
    receive::{Receipt, receive_webhook},
    secret::{NewWebhookSecret, rotate_webhook_secret},
};

/// Bytes as people and databases see them.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
