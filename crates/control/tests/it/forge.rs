//! A forge that tells of what happens in the repository that tests push to.

use std::sync::atomic::{AtomicU32, Ordering};

use hmac::{Hmac, Mac as _};
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use windlass_control::{Control, ControlError, Receipt, receive_webhook, rotate_webhook_secret};
use windlass_domain::{CommitId, Project, WebhookDelivery, WebhookOutcome};
use windlass_forge::{Forge, Message};

use crate::support::{Platform, git_url, occasion};

const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// GitHub, which knows a project's secret.
pub(crate) struct GitHub {
    pub(crate) secret: SecretString,
    next: AtomicU32,
}

/// A message that can be sent more than once.
#[derive(Clone)]
pub(crate) struct Sent {
    event: String,
    id: String,
    body: Value,
}

impl GitHub {
    /// Gives a project a secret and the forge the same one.
    pub(crate) async fn of(platform: &Platform, project: &Project) -> Self {
        let (control, owner) = (&platform.control, &platform.owner);
        let overlap = chrono::TimeDelta::zero();
        let made = rotate_webhook_secret(control, owner, project.id, overlap).await.unwrap();
        Self::knowing(made.secret)
    }

    pub(crate) fn knowing(secret: SecretString) -> Self {
        Self { secret, next: AtomicU32::new(1) }
    }

    pub(crate) fn message(&self, event: &str, body: Value) -> Sent {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let repository = json!({
            "full_name": "octo/shop",
            "clone_url": git_url().as_str(),
            "pushed_at": number,
        });
        let mut body = body;
        body["repository"] = repository;
        Sent { event: event.to_owned(), id: format!("delivery-{number}"), body }
    }

    /// A branch has another commit.
    pub(crate) fn push(&self, branch: &str, commit: &CommitId) -> Sent {
        let body = json!({
            "ref": format!("refs/heads/{branch}"),
            "before": "f".repeat(40),
            "after": commit.as_str(),
            "created": false,
            "deleted": false,
            "forced": false,
        });
        self.message("push", body)
    }

    /// A branch is gone.
    pub(crate) fn deletion(&self, branch: &str) -> Sent {
        let body = json!({
            "ref": format!("refs/heads/{branch}"),
            "before": "f".repeat(40),
            "after": NO_COMMIT,
            "created": false,
            "deleted": true,
            "forced": false,
        });
        self.message("push", body)
    }

    /// Something happened to a pull request.
    pub(crate) fn pull_request(&self, action: &str, branch: &str, head: &str) -> Sent {
        let side = |branch: &str, repository: &str| {
            let repo = json!({ "full_name": repository, "id": repository.len() });
            json!({ "ref": branch, "sha": "c".repeat(40), "label": format!("x:{branch}"), "repo": repo })
        };
        let sides = json!({ "head": side(branch, head), "base": side("main", "octo/shop") });
        self.message(
            "pull_request",
            json!({ "action": action, "number": 7, "pull_request": sides }),
        )
    }

    pub(crate) async fn send(
        &self,
        control: &Control,
        sent: &Sent,
    ) -> Result<Vec<Receipt>, ControlError> {
        let body = sent.body.to_string();
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature = format!("sha256={:x}", mac.finalize().into_bytes());
        let mut headers = HeaderMap::new();
        headers.insert("x-github-event", sent.event.parse().unwrap());
        headers.insert("x-github-delivery", sent.id.parse().unwrap());
        headers.insert("x-hub-signature-256", signature.parse().unwrap());
        let message = Message::read(Forge::GitHub, &headers, body.into()).unwrap();
        receive_webhook(control, &occasion(), message).await
    }

    /// Sends what only one project hears, for the first time.
    pub(crate) async fn tell(&self, platform: &Platform, sent: &Sent) -> WebhookDelivery {
        let receipts = self.send(&platform.control, sent).await.unwrap();
        let [receipt] = receipts.as_slice() else { panic!("{receipts:?}") };
        receipt.delivery.clone().expect("it is new")
    }
}

impl Sent {
    /// The same under another identifier.
    pub(crate) fn as_another(&self, id: &str) -> Self {
        Self { id: id.to_owned(), ..self.clone() }
    }
}

/// Why nothing came of a delivery.
pub(crate) fn why(delivery: &WebhookDelivery) -> &str {
    match &delivery.outcome {
        WebhookOutcome::Ignored { why } | WebhookOutcome::Refused { why } => why,
        WebhookOutcome::Deployed { .. }
        | WebhookOutcome::Removed { .. }
        | WebhookOutcome::Waiting => panic!("{delivery:?}"),
    }
}
