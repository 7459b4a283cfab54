//! Use cases on the webhooks of forges: what they tell is deployed, or taken down.

mod deliveries;
mod fulfil;
mod receive;
mod secret;

pub(crate) use self::fulfil::bring_back;
pub use self::{
    deliveries::{list_webhook_deliveries, redeliver_webhook},
    receive::{Receipt, receive_webhook},
    secret::{NewWebhookSecret, rotate_webhook_secret},
};
