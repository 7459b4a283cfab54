//! Requests as a forge makes them.

use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use http::{HeaderMap, HeaderName};
use sha2::Sha256;
use windlass_forge::{Delivery, Event, Forge, Message, MessageError};

pub(crate) const SECRET: &str = "It's a Secret to Everybody";

/// A commit.
pub(crate) const COMMIT: &str = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";

/// How a push says that there is none.
pub(crate) const NONE: &str = "0000000000000000000000000000000000000000";

/// A request with its signature, which a test may then change.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) forge: Forge,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn new(forge: Forge, event: &str, body: &(impl ToString + ?Sized)) -> Self {
        Self::of_bytes(forge, event, body.to_string().into())
    }

    pub(crate) fn of_bytes(forge: Forge, event: &str, body: Bytes) -> Self {
        let signature = sign(SECRET, &body);
        let headers = match forge {
            Forge::GitHub => [
                ("x-github-event", event.to_owned()),
                ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958".to_owned()),
                ("x-hub-signature-256", format!("sha256={signature}")),
            ],
            Forge::GitLab => [
                ("x-gitlab-event", event.to_owned()),
                ("idempotency-key", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f".to_owned()),
                ("x-gitlab-token", SECRET.to_owned()),
            ],
            Forge::Gitea => [
                ("x-gitea-event", event.to_owned()),
                ("x-gitea-delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473".to_owned()),
                ("x-gitea-signature", signature),
            ],
        };
        let request = Self { forge, headers: HeaderMap::new(), body };
        headers.iter().fold(request, |request, (name, value)| request.with(name, value))
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        assert!(self.headers.remove(name).is_some(), "{name}");
        self
    }

    pub(crate) fn read(self) -> Result<Message, MessageError> {
        Message::read(self.forge, &self.headers, self.body)
    }

    /// What it says, proven by the secret.
    pub(crate) fn delivery(self) -> Delivery {
        self.read().unwrap().proven_by(&SECRET.into()).unwrap().clone()
    }

    pub(crate) fn event(self) -> Event {
        self.delivery().event
    }

    /// The field that it lacks.
    pub(crate) fn fault(self) -> String {
        let err = self.read().unwrap_err();
        let MessageError::Field { field } = err else { panic!("{err}") };
        field
    }
}

pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("{:x}", mac.finalize().into_bytes())
}

pub(crate) fn push(branch: &str) -> Event {
    Event::Push {
        branch: branch.parse().unwrap(),
        commit: COMMIT.parse().unwrap(),
        created: false,
        forced: false,
    }
}

pub(crate) fn branch_deleted(branch: &str) -> Event {
    Event::BranchDeleted { branch: branch.parse().unwrap() }
}

/// Why nothing is made of an event.
pub(crate) fn ignored(event: Event) -> String {
    let Event::Ignored { why } = event else { panic!("{event:?}") };
    why
}
