//! What happens when GitHub does not answer as it should.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use windlass_domain::Clock as _;
use windlass_github_app::GitHubAppError;

use crate::stand_in::{Canned, KEY, StandIn, repository};

const LOOK_UP: &str = "/installation";

/// The error of a call, and when it happened.
async fn after(canned: Canned) -> (GitHubAppError, DateTime<Utc>) {
    let github = StandIn::start().await;
    github.next(LOOK_UP, canned);
    let err = github.app().clone_token(&repository(), None).await.unwrap_err();
    (err, github.clock.now())
}

fn limited(status: u16, headers: &[(&'static str, i64)], message: &str) -> Canned {
    let headers = headers.iter().map(|(name, value)| (*name, value.to_string())).collect();
    Canned::Status(status, headers, format!("{{\"message\":\"{message}\"}}"))
}

#[tokio::test]
async fn github_says_when_it_may_be_asked_again() {
    // 2026-01-01, where the clock stands.
    let reset = 1_767_225_600 + 1_800;
    for (canned, seconds) in [
        (limited(403, &[("x-ratelimit-remaining", 0), ("x-ratelimit-reset", reset)], "x"), 1_800),
        (limited(429, &[("retry-after", 42), ("x-ratelimit-remaining", 12)], "x"), 42),
        (limited(403, &[("retry-after", 30)], "x"), 30),
        (limited(403, &[], "You have exceeded a secondary rate limit."), 60),
        (limited(429, &[], "x"), 60),
        (limited(403, &[("x-ratelimit-remaining", 0)], "x"), 60),
        (limited(403, &[("x-ratelimit-remaining", 0), ("x-ratelimit-reset", 1)], "x"), 1),
        (limited(429, &[("retry-after", i64::from(u32::MAX))], "x"), 24 * 60 * 60),
    ] {
        let (err, now) = after(canned).await;
        let retry_at = now + TimeDelta::seconds(seconds);
        assert_eq!(err, GitHubAppError::RateLimited { retry_at });
    }
}

#[tokio::test]
async fn a_refusal_is_not_taken_for_a_limit() {
    let headers = [("x-ratelimit-remaining", 0)];
    for canned in [limited(403, &[], "no"), limited(404, &headers, "no"), limited(400, &[], "no")] {
        let (err, _) = after(canned).await;
        assert!(matches!(err, GitHubAppError::Refused { .. }), "{err:?}");
    }
}

#[tokio::test]
async fn what_may_pass_is_told_apart_from_what_does_not() {
    for (canned, wanted) in [
        (Canned::message(500, "no"), "status 500"),
        (Canned::message(503, "no"), "status 503"),
        (Canned::Status(200, vec![], "<html>".to_owned()), "cannot be read"),
        (Canned::Status(200, vec![], "{\"id\":\"ghs_secret\"}".to_owned()), "cannot be read"),
        (Canned::Hang, "did not answer within 0.5 seconds"),
    ] {
        let (err, _) = after(canned).await;
        assert!(matches!(err, GitHubAppError::Unavailable { .. }), "{err:?}");
        let said = err.to_string();
        assert!(said.contains(wanted) && !said.contains("ghs_secret"), "{said}");
    }
}

#[tokio::test]
async fn nobody_who_listens_is_somebody_who_may_come_back() {
    let github = StandIn::start().await;
    let mut config = github.config(KEY);
    config.api = "http://127.0.0.1:9".parse().unwrap();
    let app = windlass_github_app::GitHubApp::new(&config, github.clock.clone()).unwrap();
    let err = app.clone_token(&repository(), None).await.unwrap_err();
    assert!(matches!(err, GitHubAppError::Unavailable { .. }), "{err:?}");
    assert!(err.to_string().contains("refused"), "{err}");
}

#[tokio::test]
async fn secrets_are_in_no_error() {
    let github = StandIn::start().await;
    let app = github.app();
    let mut shown = vec![format!("{app:?}"), format!("{:?}", github.config(KEY))];
    for status in [400, 401, 403, 404, 422, 429, 500] {
        for request in ["/installation", "/access_tokens", "/comments"] {
            app.forget_tokens(&repository());
            github.next(request, Canned::Echo(status));
            let result = app.comment_once(&repository(), 5, "x", "x").await;
            // A token that is not taken is replaced.
            if (status, request) == (401, "/comments") {
                continue;
            }
            let err = result.unwrap_err();
            shown.push(format!("{err:?} {err}"));
        }
    }
    let token = app.clone_token(&repository(), None).await.unwrap();
    shown.push(format!("{token:?}"));
    let key = KEY.lines().nth(3).unwrap();
    // Three parts of a token in JSON begin like this.
    let secrets = ["ghs_secret", "eyJ", key, token.token.expose_secret()];
    for shown in shown {
        assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
    }
}
