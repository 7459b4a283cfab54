//! What git forges send to a webhook: who sent it, and the one event that it tells of.
//!
//! A [`Message`] is read from headers and body, and proves nothing. It says which repository it
//! claims to be about, so that the secrets with which it may be signed can be looked up; only with
//! the right one does it hand out what it says, the [`Delivery`].
//!
//! Bodies may have 25 MB and come from anybody, so what is not needed is skipped and not kept.
//! What happens then is not decided here: there is no I/O, no clock and no database.

mod delivery;
mod error;
mod event;
mod forge;
mod github;
mod gitlab;
mod headers;
mod json;
mod message;
mod proof;
mod repository;

pub use crate::{
    delivery::{Delivery, DeliveryId, DeliveryIdError},
    error::MessageError,
    event::{Event, InstallationAction, PullRequestAction},
    forge::{Forge, ForgeError},
    message::Message,
    repository::Repository,
};
