//! Claiming the owner's account.

use axum::http::{Method, StatusCode, header};
use chrono::TimeDelta;
use serde_json::{Value, json};
use windlass_auth::Role;
use windlass_control::{SetUpFor, offer_set_up};
use windlass_domain::{Effects, OsEntropy};

use crate::{
    harness::{Answer, TestApi},
    people::PASSWORD,
};

const SETUP: &str = "/api/auth/setup";

fn claim(token: &str) -> Value {
    json!({ "token": token, "email": "Ada@Example.com", "name": "Ada", "password": PASSWORD })
}

async fn set_up(api: &TestApi, body: Value) -> Answer {
    api.browse("", Method::POST, SETUP, Some(body)).await
}

async fn offered(api: &TestApi) -> Option<String> {
    let fx = Effects { clock: &*api.clock, entropy: &OsEntropy };
    let offered = offer_set_up(&*api.store, fx, SetUpFor::Newcomer).await.unwrap();
    offered.map(|secret| secret.expose().to_owned())
}

#[tokio::test]
async fn a_person_claims_the_owners_account_once() {
    let api = TestApi::start("set_up").await;
    let token = offered(&api).await.expect("nobody can sign in yet");
    let done = set_up(&api, claim(&token)).await;
    assert_eq!(done.status, StatusCode::OK);
    let cookie = done.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    let me = api.browse(cookie, Method::GET, "/api/auth/me", None).await.body;
    assert_eq!(
        (&me["user"]["name"], &me["user"]["email"]),
        (&json!("Ada"), &json!("ada@example.com"))
    );
    assert_eq!(me["organizations"][0]["role"], "owner");
    assert_eq!(api.try_sign_in("ada@example.com", PASSWORD).await.status, StatusCode::OK);

    let again = set_up(&api, claim(&token)).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(again.body["code"], "invalid_link");
    assert_eq!(offered(&api).await, None, "the next start prints no link");
    assert_eq!(
        api.get("/api/auth/me").await.status,
        StatusCode::OK,
        "the owner's key goes on working"
    );
}

#[tokio::test]
async fn a_link_works_for_an_hour_and_until_the_next_one() {
    let api = TestApi::start("set_up_life").await;
    let (first, second) = (offered(&api).await.unwrap(), offered(&api).await.unwrap());
    for token in [first.as_str(), "", "wlo_", &"0".repeat(1_000)] {
        assert_eq!(set_up(&api, claim(token)).await.status, StatusCode::FORBIDDEN, "{token}");
    }
    api.clock.advance(TimeDelta::hours(1));
    assert_eq!(set_up(&api, claim(&second)).await.status, StatusCode::FORBIDDEN);
    let third = offered(&api).await.unwrap();
    assert_eq!(set_up(&api, claim(&third)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_wrong_with_the_fields_is_told_and_the_link_stays_good() {
    let api = TestApi::start("set_up_fields").await;
    api.person("taken@example.com", &[(api.tenant().await, Role::Viewer)]).await;
    let token = offered(&api).await.unwrap();
    let wrong = json!({ "token": token, "email": "ada", "name": " ", "password": "short" });
    let refused = set_up(&api, wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["fields"].as_array().map(Vec::len), Some(3));
    let mut somebody_elses = claim(&token);
    somebody_elses["email"] = "taken@example.com".into();
    let refused = set_up(&api, somebody_elses).await;
    assert_eq!(refused.body["message"], "email is somebody else's");
    assert_eq!(set_up(&api, claim(&token)).await.status, StatusCode::OK);
}
