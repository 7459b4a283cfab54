//! Requests of forges.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{HeaderMap, header};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use crate::{
    Delivery, DeliveryId, Forge, MessageError, Repository, github, gitlab,
    headers::{Names, first},
    proof::Proof,
};

/// A request of a forge, of which nothing is proven yet.
pub struct Message {
    body: Bytes,
    proof: Proof,
    delivery: Delivery,
}

impl Message {
    /// Whether the headers alone make it worth reading the body.
    ///
    /// # Errors
    ///
    /// As [`Message::read`].
    pub fn check_headers(forge: Forge, headers: &HeaderMap) -> Result<(), MessageError> {
        Proof::read(forge, headers)?;
        event_name(forge, headers)?;
        delivery_id(forge, headers)?;
        Ok(())
    }

    /// Reads the headers, and then the body as it came. What is not signed at all costs nothing.
    ///
    /// # Errors
    ///
    /// What nobody has signed is to be refused; everything else is a bad request.
    pub fn read(forge: Forge, headers: &HeaderMap, body: Bytes) -> Result<Self, MessageError> {
        let proof = Proof::read(forge, headers)?;
        let event = event_name(forge, headers)?;
        let id = delivery_id(forge, headers)?;
        let json = unwrapped(forge, headers, &body)?;
        let (repository, event) = match forge {
            Forge::GitHub | Forge::Gitea => github::read(forge, event, &json)?,
            Forge::GitLab => gitlab::read(event, &json)?,
        };
        let id = id.unwrap_or_else(|| DeliveryId::of_body(&body));
        let digest = (forge == Forge::GitHub).then(|| Sha256::digest(&body).into());
        Ok(Self { proof, delivery: Delivery { forge, id, digest, repository, event }, body })
    }

    /// The repository that it claims to be about: good for looking up secrets, and for nothing
    /// else.
    #[must_use]
    pub fn claimed_repository(&self) -> Option<&Repository> {
        self.delivery.repository.as_ref()
    }

    /// What it says, if whoever sent it knows this secret. An empty secret proves nothing.
    #[must_use]
    pub fn proven_by(&self, secret: &SecretString) -> Option<&Delivery> {
        self.proof.holds(secret, &self.body).then_some(&self.delivery)
    }
}

/// Says nothing that only a proven message may say.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("forge", &self.delivery.forge).finish_non_exhaustive()
    }
}

/// What the forge calls the event. That is not signed: whoever reads a body must not take one of
/// another event for its own.
fn event_name(forge: Forge, headers: &HeaderMap) -> Result<&str, MessageError> {
    let names: Names = match forge {
        Forge::GitHub => &["X-GitHub-Event"],
        Forge::GitLab => &["X-Gitlab-Event"],
        Forge::Gitea => &["X-Gitea-Event", "X-Forgejo-Event"],
    };
    let (name, value) = first(names, headers);
    value.and_then(|value| value.to_str().ok()).ok_or(MessageError::NoEvent(name))
}

/// The delivery's identifier, which only GitLab may leave out.
///
/// - GitHub's stays the same where somebody has it delivered once more:
///   <https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks>.
/// - Gitea's does not: whoever repeats a delivery there wants it to be done again.
/// - GitLab's `Idempotency-Key` (since 17.4; newer ones call it `webhook-id`, too) stays the same
///   as well; `X-Gitlab-Webhook-UUID` (since 16.2) is another one for every request.
///   `X-Gitlab-Event-UUID` is of no use: all that comes of one push, or of another webhook, shares
///   it.
///   <https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers>
fn delivery_id(forge: Forge, headers: &HeaderMap) -> Result<Option<DeliveryId>, MessageError> {
    let names: Names = match forge {
        Forge::GitHub => &["X-GitHub-Delivery"],
        Forge::GitLab => &["Idempotency-Key", "webhook-id", "X-Gitlab-Webhook-UUID"],
        Forge::Gitea => &["X-Gitea-Delivery", "X-Forgejo-Delivery"],
    };
    match first(names, headers) {
        (_, None) if forge == Forge::GitLab => Ok(None),
        (name, value) => {
            let id = value.and_then(|value| value.to_str().ok()?.parse().ok());
            id.map(Some).ok_or(MessageError::BadDeliveryId(name))
        }
    }
}

/// The JSON, which GitHub can also send as a field of a form. There the form is signed as it is;
/// Gitea signs the field alone, so its forms are refused.
fn unwrapped<'a>(
    forge: Forge,
    headers: &HeaderMap,
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, MessageError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(Cow::Borrowed(body));
    }
    let payload = match forge {
        Forge::GitHub => form_urlencoded::parse(body).find(|(name, _)| name == "payload"),
        Forge::GitLab | Forge::Gitea => None,
    };
    let (_, payload) = payload.ok_or(MessageError::Form)?;
    Ok(match payload {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}
