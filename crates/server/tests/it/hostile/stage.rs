//! A server with one of everything, and what is stored in it.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};

use super::{
    document::{Operation, Parameter},
    wire,
};
use crate::support::{Answer, Api, Repository, TestServer};

/// A server with a project, an environment, a deployment, a variable, a key and a token.
pub(super) struct Stage {
    pub(super) server: TestServer,
    pub(super) operations: Vec<Operation>,
    /// An identifier of each kind, under the word that it begins with.
    samples: BTreeMap<String, String>,
    /// The session of the owner in a browser.
    cookie: String,
    _repository: Repository,
}

impl Stage {
    pub(super) async fn set(test: &str, operations: Vec<Operation>) -> Self {
        let server = TestServer::start(test).await;
        let api = &server.api;
        let repository = Repository::with(&[("index.html", "")]);
        let project = api.create_project(repository.path(), json!({})).await;
        // A deployment that soon ends: there is no such branch.
        let environment = api.create_environment(&project, "missing").await;
        let deployment = environment["latest_deployment"]["id"].as_str().unwrap();
        assert_eq!(api.settled(deployment).await["state"], "failed");
        let variables = format!("/api/projects/{project}/env-vars");
        let variable = api.put(&variables, json!({ "key": "SAMPLE", "value": "x" })).await;
        let key = api.post("/api/auth/api-keys", json!({ "name": "x", "scopes": [] })).await;
        let ids = [&json!(project), &environment["id"], &json!(deployment)];
        let token = json!({ "label": "x", "permissions": [] });
        let token = api.post("/api/auth/tokens", token).await;
        let made = [&variable.body["id"], &key.body["id"], &token.body["id"]];
        let ids = ids.into_iter().chain(made);
        let samples = ids.map(|id| {
            let id = id.as_str().unwrap();
            (id.split('_').next().unwrap().to_owned(), id.to_owned())
        });
        let mut samples: BTreeMap<String, String> = samples.collect();
        let me = api.get("/api/auth/me").await.body;
        let organization = &me["organizations"][0]["id"];
        let path = format!("/api/organizations/{}/invitations", organization.as_str().unwrap());
        let invitation = json!({ "email": "sample@example.com", "role": "viewer" });
        let invitation = api.post(&path, invitation).await;
        let invitation = &invitation.body["id"];
        for (prefix, id) in [("org", organization), ("usr", &me["user"]["id"]), ("inv", invitation)]
        {
            samples.insert(prefix.to_owned(), id.as_str().unwrap().to_owned());
        }
        samples.insert("whd".to_owned(), delivery(api, &project, &repository).await);
        let (cookie, session) = sign_in(&server).await;
        samples.insert("ses".to_owned(), session);
        Self { server, operations, samples, cookie, _repository: repository }
    }

    pub(super) fn api(&self) -> &Api {
        &self.server.api
    }

    /// A request for an operation with the credential that it takes, still to be sent.
    pub(super) fn request(&self, operation: &Operation) -> RequestBuilder {
        let (method, path) = (operation.method.clone(), self.path(operation));
        if operation.is_for_people {
            self.api().browse(&self.cookie, method, &path)
        } else {
            self.api().request(method, &path)
        }
    }

    /// The same for a target of its own, as bytes.
    pub(super) fn bytes(
        &self,
        operation: &Operation,
        target: &str,
        header: &str,
        body: &str,
    ) -> Vec<u8> {
        let start = format!("{} {target}", operation.method);
        if operation.is_for_people {
            let cookie = format!("Cookie: {}\r\nSec-Fetch-Site: same-origin\r\n", self.cookie);
            wire::request_by(&cookie, &start, header, body)
        } else {
            wire::request(self.api(), &start, header, body)
        }
    }

    /// The path of an operation on what there is.
    pub(super) fn path(&self, operation: &Operation) -> String {
        operation.path(|parameter| self.sample(operation, parameter))
    }

    /// The identifier of something that is there.
    pub(super) fn sample(&self, operation: &Operation, parameter: &Parameter) -> String {
        let Parameter { name, prefix, .. } = parameter;
        let sample = self.samples.get(prefix);
        let missing = || panic!("{}: there is no sample for `{name}` ({prefix})", operation.id);
        sample.cloned().unwrap_or_else(missing)
    }

    /// Sends a body to an operation.
    pub(super) async fn send(&self, operation: &Operation, body: Vec<u8>) -> Answer {
        let request = self.request(operation);
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        self.api().send(request).await
    }

    /// Everything that the API shows of what is stored.
    pub(super) async fn stored(&self) -> Value {
        let mut stored = json!({});
        for operation in self.operations.iter().filter(|operation| operation.shows()) {
            let answer = self.api().send(self.request(operation)).await;
            assert_eq!(answer.status, StatusCode::OK, "{}: {answer:?}", operation.id);
            stored[&operation.id] = answer.body;
        }
        // Looking at it is a use of it, and tokens and invitations end by themselves.
        for (list, field) in [
            ("list_api_keys", "last_used_at"),
            ("norrix_list_api_keys", "lastUsedAt"),
            ("list_tokens", "status"),
            ("list_sessions", "last_seen_at"),
            ("list_invitations", "status"),
        ] {
            for key in stored[list].as_array_mut().unwrap() {
                key[field] = Value::Null;
            }
        }
        stored
    }

    /// What an operation has stored, read back. What is new is taken away again.
    pub(super) async fn read_back(&self, operation: &Operation, answer: &Answer) -> Value {
        let path = self.path(operation);
        if operation.method == Method::PATCH {
            return self.api().get(&path).await.body;
        }
        let id = &answer.body["id"];
        let location = answer.headers.get(header::LOCATION).map(|it| it.to_str().unwrap());
        let (found, address) = if let Some(address) = location {
            (self.api().get(address).await.body, address.to_owned())
        } else {
            let list = self.api().get(&format!("{path}?limit=200")).await.body;
            let found = list.as_array().unwrap().iter().find(|found| found["id"] == *id);
            (found.unwrap().clone(), format!("{path}/{}", id.as_str().unwrap()))
        };
        let mut removed = self.api().delete(&address).await;
        if removed.status == StatusCode::METHOD_NOT_ALLOWED {
            removed = self.api().post(&format!("{address}/destroy?wait=60"), json!({})).await;
        }
        assert!(removed.status.is_success(), "{address}: {removed:?}");
        found
    }
}

/// The owner claims the account with the link that the start has printed; gives their cookie, and
/// their session's id.
async fn sign_in(server: &TestServer) -> (String, String) {
    let log = server.log();
    let (_, token) = log.rsplit_once("/setup?token=").expect("nobody can sign in yet");
    let token = token.split_whitespace().next().unwrap();
    let password = "correct horse battery staple";
    let body =
        json!({ "token": token, "email": "owner@example.com", "name": "O", "password": password });
    let claim = server.api.browse("", Method::POST, "/api/auth/setup").json(&body);
    let claimed = server.api.send(claim).await;
    assert!(claimed.status.is_success(), "{claimed:?}");
    let cookie = claimed.headers[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let me = server.api.send(server.api.browse(&cookie, Method::GET, "/api/auth/me")).await;
    (cookie, me.body["credential"]["id"].as_str().unwrap().to_owned())
}

/// Something that a forge told of a project.
async fn delivery(api: &Api, project: &str, repository: &Repository) -> String {
    let path = format!("/api/projects/{project}/webhook-secret");
    let made = api.post(&path, json!({})).await.body;
    let body = json!({
        "object_kind": "tag_push",
        "ref": "refs/tags/v1",
        "project": { "path_with_namespace": "x/shop", "git_http_url": repository.path() },
    });
    let request = api
        .request(Method::POST, "/api/webhooks/gitlab")
        .header("X-Gitlab-Event", "Tag Push Hook")
        .header("X-Gitlab-Token", made["secret"].as_str().unwrap())
        .json(&body);
    let told = api.send(request).await.body;
    told["deliveries"][0]["id"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}
