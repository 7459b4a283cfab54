//! Signing in with GitHub: a browser, the server, and a stand-in for GitHub that is one over HTTP.

mod accounts;
mod browser;
mod coming;
mod faults;
mod refusals;
pub(crate) mod stand_in;

use axum::http::{Method, header};
use serde_json::{Value, json};
use windlass_auth::Role;

use self::{browser::Browser, stand_in::StandIn};
use crate::harness::{Answer, Setup, TestApi};

const BEGIN: &str = "/api/auth/github";
const ADA: &str = "ada@example.com";
/// What GitHub calls her, for good.
const ADA_THERE: u64 = 583_231;

/// A server, and GitHub with Ada at the browser.
async fn scene(test: &str) -> (TestApi, StandIn) {
    let github = StandIn::start().await;
    github.seat(ADA_THERE, "ada", ADA);
    let setup = Setup { github: Some(github.service()), ..Setup::default() };
    (TestApi::start_as(test, setup).await, github)
}

impl TestApi {
    /// The secret of an invitation into the owner's organization.
    async fn invite(&self, email: &str, role: Role) -> String {
        let path = format!("/api/organizations/{}/invitations", self.organization().await);
        let made = self.post(&path, json!({ "email": email, "role": role.name() })).await;
        made.body["token"].as_str().unwrap().to_owned()
    }

    /// What the log says of an action, newest first.
    async fn lines(&self, action: &str) -> Vec<Value> {
        let path = format!("/api/audit?action={action}");
        self.get(&path).await.body.as_array().unwrap().clone()
    }

    /// Who the one is who has a browser.
    async fn me(&self, browser: &Browser<'_>) -> Value {
        let session = browser.session().expect("a session");
        let me = self.browse(&session, Method::GET, "/api/auth/me", None).await;
        assert_eq!(me.status, 200, "{}", me.body);
        me.body
    }
}

/// The way on of somebody who has an invitation.
fn accepting(invitation: &str) -> String {
    format!("{BEGIN}?invitation={invitation}")
}

fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.headers[header::LOCATION].to_str().unwrap()
}

/// Nobody has been let in.
fn assert_refused(browser: &Browser<'_>, answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.body["code"], code, "{}", answer.body);
    assert_eq!(browser.session(), None);
}
