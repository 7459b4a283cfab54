//! What holds for any message.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::{prelude::*, sample::select};
use serde_json::json;
use windlass_domain::GitUrl;
use windlass_forge::{Delivery, Event, Forge, Message, Repository};

use crate::support::{COMMIT, NONE, Request, SECRET, sign};

const HEADERS: [&str; 13] = [
    "content-type",
    "idempotency-key",
    "x-forgejo-event",
    "x-gitea-delivery",
    "x-gitea-event",
    "x-gitea-signature",
    "x-github-delivery",
    "x-github-event",
    "x-gitlab-event",
    "x-gitlab-token",
    "x-gitlab-webhook-uuid",
    "x-hub-signature",
    "x-hub-signature-256",
];

const EVENTS: [&str; 9] = [
    "push",
    "delete",
    "pull_request",
    "ping",
    "installation",
    "installation_repositories",
    "Push Hook",
    "Merge Request Hook",
    "star",
];

fn forge() -> impl Strategy<Value = Forge> {
    select(Forge::ALL.to_vec())
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let value = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..120),
        select(EVENTS.to_vec()).prop_map(|event| event.as_bytes().to_vec()),
        "sha256=[0-9a-f]{64}|[0-9a-f]{64}|[ -~]{1,40}".prop_map(String::into_bytes),
        Just(b"application/x-www-form-urlencoded".to_vec()),
    ];
    let header = (select(HEADERS.to_vec()), value);
    proptest::collection::vec(header, 0..HEADERS.len()).prop_map(|headers| {
        let valid = |(name, value): (&'static str, Vec<u8>)| {
            Some((HeaderName::from_static(name), HeaderValue::from_bytes(&value).ok()?))
        };
        headers.into_iter().filter_map(valid).collect()
    })
}

/// JSON whose fields are those that are looked for, with anything in them.
fn body() -> impl Strategy<Value = Vec<u8>> {
    const FIELDS: [&str; 24] = [
        "ref",
        "before",
        "after",
        "created",
        "deleted",
        "forced",
        "ref_type",
        "action",
        "number",
        "repository",
        "project",
        "pull_request",
        "head",
        "base",
        "repo",
        "sha",
        "label",
        "id",
        "full_name",
        "clone_url",
        "installation",
        "account",
        "login",
        "object_attributes",
    ];
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<String>().prop_map(|value| json!(value)),
        select(vec![COMMIT, NONE, "refs/heads/main", "refs/tags/v1", "branch", "octo/shop"])
            .prop_map(|value| json!(value)),
    ];
    let value = leaf.prop_recursive(4, 64, 12, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|values| json!(values)),
            proptest::collection::btree_map(select(FIELDS.to_vec()), inner, 0..12)
                .prop_map(|fields| json!(fields)),
        ]
    });
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        value.prop_map(|value| value.to_string().into_bytes()),
    ]
}

/// A message that its secret proves.
fn genuine(forge: Forge, branch: &str) -> Request {
    let body = json!({
        "ref": format!("refs/heads/{branch}"),
        "before": NONE,
        "after": COMMIT,
        "repository": { "full_name": "octo/shop" },
        "project": { "path_with_namespace": "octo/shop" },
    });
    let event = if forge == Forge::GitLab { "Push Hook" } else { "push" };
    Request::new(forge, event, &body)
}

fn is_proven(request: Request, secret: &str) -> bool {
    request.read().is_ok_and(|message| message.proven_by(&secret.into()).is_some())
}

/// What must hold of a repository, whatever it was made of.
fn is_within_bounds(repository: &Repository) -> bool {
    let is_address = |address: &String| {
        address.len() <= 1_000
            && !address.bytes().any(|byte| byte.is_ascii_uppercase())
            && address.parse::<GitUrl>().is_ok_and(|url| repository.is_at(&url))
    };
    let addresses = repository.addresses();
    let once = |address: &String| addresses.iter().filter(|other| *other == address).count() == 1;
    (1..=1_000).contains(&repository.full_name().len())
        && addresses.len() <= 16
        && addresses.iter().all(|address| is_address(address) && once(address))
}

/// What must hold of a delivery, whatever it was made of.
fn is_sound(delivery: &Delivery) -> bool {
    match &delivery.event {
        Event::Ignored { why } => why.chars().count() < 300,
        Event::Push { commit, .. } => commit.as_str() != NONE && delivery.repository.is_some(),
        Event::BranchDeleted { .. } | Event::PullRequest { .. } => delivery.repository.is_some(),
        Event::Ping | Event::Installation { .. } => delivery.forge == Forge::GitHub,
    }
}

proptest! {
    #[test]
    fn anything_may_be_sent(forge in forge(), headers in headers(), body in body()) {
        if let Ok(message) = Message::read(forge, &headers, Bytes::from(body)) {
            prop_assert!(message.claimed_repository().is_none_or(is_within_bounds));
            prop_assert!(message.proven_by(&SECRET.into()).is_none());
        }
    }

    #[test]
    fn any_body_that_is_signed_is_read_or_refused(
        forge in forge(),
        event in select(EVENTS.to_vec()),
        body in body(),
    ) {
        let request = Request::of_bytes(forge, event, body.into());
        if let Ok(message) = request.read() {
            let is_sound = message.proven_by(&SECRET.into()).is_some_and(is_sound);
            prop_assert!(is_sound);
        }
    }

    #[test]
    fn an_address_of_any_form_is_kept_within_bounds(
        addresses in proptest::collection::vec("(https?://|ssh://|git@|file://|/)?[ -~]{0,60}", 4),
    ) {
        let body = json!({ "repository": {
            "full_name": "octo/shop",
            "clone_url": addresses[0],
            "ssh_url": addresses[1],
            "git_url": addresses[2],
            "html_url": addresses[3],
        } });
        let message = Request::new(Forge::GitHub, "star", &body).read().unwrap();
        prop_assert!(message.claimed_repository().is_some_and(is_within_bounds));
    }

    #[test]
    fn a_body_with_one_bit_flipped_is_not_proven(
        forge in select(vec![Forge::GitHub, Forge::Gitea]),
        branch in "[a-z]{1,20}",
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut request = genuine(forge, &branch);
        prop_assert!(is_proven(request.clone(), SECRET));
        let mut body = request.body.to_vec();
        body[at.index(request.body.len())] ^= 1 << bit;
        request.body = body.into();
        prop_assert!(!is_proven(request, SECRET));
    }

    #[test]
    fn a_signature_with_one_bit_flipped_is_none(
        forge in forge(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut request = genuine(forge, "main");
        let name = match forge {
            Forge::GitHub => "x-hub-signature-256",
            Forge::GitLab => "x-gitlab-token",
            Forge::Gitea => "x-gitea-signature",
        };
        let mut value = request.headers[name].as_bytes().to_vec();
        let at = at.index(value.len());
        value[at] ^= 1 << bit;
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            request.headers.insert(name, value);
            prop_assert!(!is_proven(request, SECRET));
        }
    }

    #[test]
    fn what_one_secret_proves_no_other_does(
        forge in forge(),
        one in "[!-~]{1,80}",
        other in "[ -~]{0,80}",
    ) {
        prop_assume!(one != other);
        let request = genuine(forge, "main");
        let signature = sign(&one, &request.body);
        let request = match forge {
            Forge::GitHub => request.with("x-hub-signature-256", &format!("sha256={signature}")),
            Forge::GitLab => request.with("x-gitlab-token", &one),
            Forge::Gitea => request.with("x-gitea-signature", &signature),
        };
        prop_assert!(is_proven(request.clone(), &one));
        prop_assert!(!is_proven(request, &other));
    }
}
