//! What GitHub says to an installation: statuses, deployments, comments and pull requests.

use axum::{http::Method, response::Response};
use serde_json::{Value, json};

use super::{APP_ID, Answer, REPOSITORY, Refusal, Request, StandIn, World, found};

/// As addresses of next pages name the repository.
const BY_NUMBER: &str = "repositories/7";

impl StandIn {
    pub(super) fn answer_installation(&self, request: &Request) -> Answer {
        let beginning = format!("/repos/{REPOSITORY}/");
        let path = request.path.strip_prefix(&beginning);
        let path = path.or_else(|| request.path.strip_prefix(&format!("/{BY_NUMBER}/")));
        let parts: Vec<&str> = path.ok_or(Refusal(404, "Not Found"))?.split('/').collect();
        let permission = match parts.as_slice() {
            ["statuses", _] => "statuses",
            ["deployments", ..] => "deployments",
            ["issues" | "pulls", ..] => "pull_requests",
            _ => return Err(Refusal(404, "Not Found")),
        };
        self.check_token(&request.token, permission)?;
        let mut world = self.world();
        match (&request.method, parts.as_slice()) {
            (&Method::POST, ["statuses", _]) => Ok(world.add_status(&request.body)),
            (&Method::GET, ["deployments"]) => {
                let is_wanted = |deployment: &&Value| {
                    ["sha", "environment"]
                        .iter()
                        .all(|name| request.query(name).is_none_or(|is| deployment[*name] == is))
                };
                // The newest comes first.
                let all = world.deployments.iter().rev().filter(is_wanted).cloned().collect();
                Ok(self.page(&world, request, all))
            }
            (&Method::POST, ["deployments"]) => world.add_deployment(&request.body),
            (&Method::GET, ["deployments", id, "statuses"]) => {
                let is_wanted = |status: &&Value| status["deployment"] == *id;
                let all = world.deployment_statuses.iter().rev().filter(is_wanted).cloned();
                Ok(self.page(&world, request, all.collect()))
            }
            (&Method::POST, ["deployments", id, "statuses"]) => {
                Ok(world.add_deployment_status(id, &request.body))
            }
            (&Method::GET, ["issues", "5", "comments"]) => {
                Ok(self.page(&world, request, world.comments.clone()))
            }
            (&Method::POST, ["issues", "5", "comments"]) => {
                let text = request.body["body"].as_str().unwrap().to_owned();
                let comment = world.add_comment(&text, "windlass-test[bot]", Some(APP_ID));
                Ok(found(201, &comment))
            }
            (&Method::PATCH, ["issues", "comments", id]) => {
                let id: u64 = id.parse().unwrap();
                let comment = world.comments.iter_mut().find(|comment| comment["id"] == id);
                let comment = comment.ok_or(Refusal(404, "Not Found"))?;
                comment["body"] = request.body["body"].clone();
                Ok(found(200, comment))
            }
            (&Method::GET, ["pulls"]) => Ok(self.page(&world, request, world.pulls.clone())),
            _ => Err(Refusal(404, "Not Found")),
        }
    }

    fn check_token(&self, token: &str, permission: &str) -> Result<(), Refusal> {
        let world = self.world();
        let token = world.tokens.iter().find(|known| known.text == token);
        let token = token.filter(|token| self.now() < token.expires_at);
        let token = token.ok_or(Refusal(401, "Bad credentials"))?;
        if token.repositories != ["shop"] {
            return Err(Refusal(404, "Not Found"));
        }
        if token.permissions[permission] != "write" {
            return Err(Refusal(403, "Resource not accessible by integration"));
        }
        Ok(())
    }

    fn page(&self, world: &World, request: &Request, all: Vec<Value>) -> Response {
        let number = |name| request.query(name).and_then(|text| text.parse::<usize>().ok());
        let size = number("per_page").unwrap_or(30).min(world.page_size);
        let page = number("page").unwrap_or(1);
        let is_last = all.len() <= page * size;
        let shown: Vec<Value> = all.into_iter().skip((page - 1) * size).take(size).collect();
        let mut response = found(200, &shown.into());
        if !is_last {
            let path = request.path.replace(&format!("repos/{REPOSITORY}"), BY_NUMBER);
            let host = world.links_to.unwrap_or(&self.address);
            let kept = request.query.iter().filter(|(name, _)| name != "page");
            let next = (page + 1).to_string();
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(kept)
                .append_pair("page", &next)
                .finish();
            let link = format!("<{host}{}{path}?{query}>; rel=\"next\"", super::BASE);
            response.headers_mut().insert("link", link.parse().unwrap());
        }
        response
    }
}

impl World {
    fn add_status(&mut self, body: &Value) -> Response {
        let description = body["description"].as_str().unwrap_or_default();
        if 140 < description.chars().count() {
            let errors = json!([{ "resource": "Status", "code": "custom", "field": "description",
                "message": "description is too long (maximum is 140 characters)" }]);
            let body = json!({ "message": "Validation Failed", "errors": errors });
            return found(422, &body);
        }
        self.statuses.push(body.clone());
        found(201, &json!({ "id": self.next_id(), "state": body["state"], "creator": null }))
    }

    fn add_deployment(&mut self, body: &Value) -> Answer {
        if body["auto_merge"] != false || body["required_contexts"] != json!([]) {
            return Err(Refusal(409, "Conflict: Commit status checks failed"));
        }
        let mut deployment = body.clone();
        deployment["id"] = self.next_id().into();
        deployment["sha"] = body["ref"].clone();
        self.deployments.push(deployment.clone());
        Ok(found(201, &deployment))
    }

    fn add_deployment_status(&mut self, deployment: &str, body: &Value) -> Response {
        let mut status = body.clone();
        status["id"] = self.next_id().into();
        status["deployment"] = deployment.into();
        // Only these are given back where they were not told.
        for name in ["log_url", "environment_url", "description"] {
            if status[name].is_null() {
                status[name] = "".into();
            }
        }
        self.deployment_statuses.push(status.clone());
        found(201, &status)
    }

    pub(crate) fn add_comment(&mut self, text: &str, login: &str, via: Option<u64>) -> Value {
        let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
        let via = via.filter(|_| self.tells_app);
        let comment = json!({
            "id": self.next_id(), "body": text, "user": { "login": login, "type": kind },
            "performed_via_github_app": via.map(|id| json!({ "id": id, "slug": "x" })),
        });
        self.comments.push(comment.clone());
        comment
    }
}
