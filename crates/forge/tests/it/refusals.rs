//! What is not taken for a message, and what no secret proves.

use secrecy::SecretString;
use serde_json::{Value, json};
use windlass_forge::{Forge, MessageError};

use crate::support::{COMMIT, NONE, Request, SECRET, ignored, sign};

/// A push, as each forge would send it.
fn pushes() -> [Request; 3] {
    Forge::ALL.map(|forge| match forge {
        Forge::GitLab => Request::new(forge, "Push Hook", &push_body()),
        Forge::GitHub | Forge::Gitea => Request::new(forge, "push", &push_body()),
    })
}

/// What is in it is enough for all of them.
fn push_body() -> Value {
    let address = "https://git.example.com/octo/shop.git";
    json!({
        "ref": "refs/heads/main",
        "before": NONE,
        "after": COMMIT,
        "repository": { "full_name": "octo/shop", "clone_url": address },
        "project": { "path_with_namespace": "octo/shop", "git_http_url": address },
    })
}

fn header_with(request: &Request, part: &str) -> String {
    let names = request.headers.keys().map(|name| name.as_str().to_owned());
    names.into_iter().find(|name| name.contains(part)).unwrap()
}

#[test]
fn only_the_right_secret_proves_anything() {
    for request in pushes() {
        let message = request.read().unwrap();
        assert!(message.claimed_repository().is_some());
        let proven = |secret: &str| message.proven_by(&secret.into()).is_some();
        assert!(proven(SECRET));
        for wrong in ["", "x", &SECRET[1..], &SECRET.to_lowercase(), &format!("{SECRET} ")] {
            assert!(!proven(wrong), "{wrong:?}");
        }
    }
}

#[test]
fn an_empty_secret_proves_nothing_even_where_it_was_used() {
    for request in pushes() {
        let signature = sign("", &request.body);
        let request = match request.forge {
            Forge::GitHub => request.with("x-hub-signature-256", &format!("sha256={signature}")),
            Forge::Gitea => request.with("x-gitea-signature", &signature),
            Forge::GitLab => {
                let err = request.with("x-gitlab-token", "").read().unwrap_err();
                assert!(matches!(err, MessageError::Unsigned { .. }), "{err}");
                continue;
            }
        };
        assert_eq!(request.read().unwrap().proven_by(&SecretString::default()), None);
    }
}

#[test]
fn what_nobody_signed_is_refused_before_it_is_looked_at() {
    for mut request in pushes() {
        request.body = "{".into();
        let header = match request.forge {
            Forge::GitHub => "x-hub-signature-256",
            Forge::GitLab => "x-gitlab-token",
            Forge::Gitea => "x-gitea-signature",
        };
        let err = request.without(header).read().unwrap_err();
        assert!(matches!(err, MessageError::Unsigned { .. }), "{err}");
        assert!(err.to_string().to_lowercase().contains(header), "{err}");
    }
}

#[test]
fn the_signature_of_old_is_none() {
    let [github, ..] = pushes();
    let github = github.without("x-hub-signature-256").with("x-hub-signature", "sha1=00");
    assert!(matches!(github.read(), Err(MessageError::Unsigned { .. })));
}

#[test]
fn a_wrong_signature_is_not_made_good_by_another() {
    let [.., gitea] = pushes();
    let good = sign(SECRET, &gitea.body);
    let gitea = gitea.with("x-forgejo-signature", &good).with("x-gitea-signature", &sign("x", b""));
    assert_eq!(gitea.read().unwrap().proven_by(&SECRET.into()), None);
}

#[test]
fn a_creation_is_not_taken_for_a_deletion_by_another_name() {
    for (forge, field) in [(Forge::GitHub, "master_branch"), (Forge::Gitea, "sha")] {
        let mut body = json!({ "ref": "main", "ref_type": "branch" });
        body["repository"] = push_body()["repository"].clone();
        body[field] = "main".into();
        let event = Request::new(forge, "delete", &body).event();
        assert!(ignored(event).contains("`create`"));
    }
}

#[test]
fn an_event_must_be_named() {
    for request in pushes() {
        let name = header_with(&request, "-event");
        let err = request.without(&name).read().unwrap_err();
        assert!(matches!(err, MessageError::NoEvent(_)), "{err}");
    }
}

#[test]
fn a_delivery_must_be_identified_in_a_hundred_characters() {
    for request in pushes() {
        let name = match request.forge {
            Forge::GitLab => "idempotency-key".to_owned(),
            Forge::GitHub | Forge::Gitea => header_with(&request, "-delivery"),
        };
        for id in ["", "a b", &"x".repeat(101)] {
            let err = request.clone().with(&name, id).read().unwrap_err();
            assert!(matches!(err, MessageError::BadDeliveryId(_)), "{err}");
        }
        if request.forge != Forge::GitLab {
            let err = request.without(&name).read().unwrap_err();
            assert!(matches!(err, MessageError::BadDeliveryId(_)), "{err}");
        }
    }
}

#[test]
fn a_body_that_is_not_json_is_refused_also_where_the_event_is_unknown() {
    for forge in Forge::ALL {
        for body in ["", "{", "{} {}", "payload=%7B%7D", "{\"x\":\"\u{1}\"}"] {
            for event in ["push", "Push Hook", "star"] {
                let err = Request::new(forge, event, body).read().unwrap_err();
                assert!(matches!(err, MessageError::NotJson { .. }), "{body}: {err}");
            }
        }
    }
}

#[test]
fn a_form_is_taken_from_github_alone() {
    let form = "application/x-www-form-urlencoded";
    for request in pushes() {
        let err = request.with("content-type", form).read().unwrap_err();
        assert_eq!(err, MessageError::Form);
        assert!(err.to_string().contains("application/json"));
    }
}

#[test]
fn a_missing_field_is_named_and_so_is_one_of_another_kind() {
    let [github, gitlab, gitea] = Forge::ALL
        .map(|forge| move |event: &str, body: &Value| Request::new(forge, event, body).fault());
    for (field, wanted) in [
        ("/ref", "ref"),
        ("/after", "after"),
        ("/repository/full_name", "repository.full_name"),
        ("/repository", "repository"),
    ] {
        for value in [Value::Null, 5.into()] {
            let mut body = push_body();
            *body.pointer_mut(field).unwrap() = value;
            assert_eq!(github("push", &body), wanted);
            assert_eq!(gitea("push", &body), wanted);
        }
    }
    for (field, wanted) in [
        ("/ref", "ref"),
        ("/before", "before"),
        ("/after", "after"),
        ("/project/path_with_namespace", "project.path_with_namespace"),
        ("/project", "project"),
    ] {
        let mut body = push_body();
        *body.pointer_mut(field).unwrap() = Value::Null;
        assert_eq!(gitlab("Push Hook", &body), wanted);
    }
    let mut body = push_body();
    body["after"] = "main".into();
    assert_eq!(github("push", &body), "after");
    assert_eq!(gitlab("Push Hook", &body), "after");
}

#[test]
fn what_is_sent_is_not_repeated_in_an_error() {
    let mut body = push_body();
    body["deleted"] = "hunter2".into();
    let err = Request::new(Forge::GitHub, "push", &body).read().unwrap_err();
    assert_eq!(err, MessageError::Field { field: "deleted".to_owned() });
    assert!(!format!("{err} {err:?}").contains("hunter2"));
}

#[test]
fn a_message_does_not_show_what_it_holds() {
    for request in pushes() {
        let shown = format!("{:?}", request.read().unwrap());
        assert!(!shown.contains(COMMIT) && !shown.contains("octo"), "{shown}");
    }
}

#[test]
fn a_body_of_nothing_but_brackets_is_read_without_harm() {
    let deep = "[".repeat(1_000_000);
    let known = format!("{{\"repository\":{deep}");
    let skipped = format!("{{\"commits\":{deep}");
    for body in [deep, known, skipped] {
        for forge in Forge::ALL {
            for event in ["push", "Push Hook", "star"] {
                assert!(Request::new(forge, event, &body).read().is_err());
            }
        }
    }
}
