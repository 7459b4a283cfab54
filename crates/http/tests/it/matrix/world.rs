//! What operations work on, how they are asked for, and what can be seen of it afterwards.

use axum::http::Method;
use serde_json::{Value, json};
use windlass_auth::{CodeVerifier, NewLoginCode, OneTimeSecret, Role};
use windlass_domain::{
    BuildResult, Clock as _, CommitId, Effects, Id, OsEntropy, PageRequest, PausedBy, Project,
    Usage, UserId, WebhookDelivery, WebhookOutcome, WebhookWish,
};

use crate::{
    harness::{TestApi, id},
    people::PASSWORD,
};

/// Where a program listens.
const REDIRECT: &str = "http://127.0.0.1:49152/callback";

/// One of everything that operations work on.
pub(crate) struct World {
    pub(crate) project: String,
    environment: String,
    deployment: String,
    variable: String,
    /// Of a push to its environment's branch.
    delivery: String,
    key: String,
    token: String,
    /// That of its token.
    pub(crate) token_text: String,
    organization: String,
    member: String,
    invitation: String,
    invitation_text: String,
    /// Its owner in a browser, under this address.
    pub(crate) cookie: String,
    email: String,
    user: UserId,
    /// Another session of the same person.
    session: String,
    pub(crate) setup_token: String,
    /// A code for a program, and what the program knows.
    pub(crate) login_code: OneTimeSecret,
    pub(crate) verifier: CodeVerifier,
}

impl World {
    pub(crate) async fn make(api: &TestApi) -> Self {
        let key = json!({ "name": "victim", "scopes": [] });
        let key = id(&api.post("/api/auth/api-keys", key).await);
        // A name that no world before this one has.
        let (_, number) = key.split_at(key.len() - 12);
        let project = api.project(&format!("shop {number}")).await;
        let environment = api.environment(&project, "main").await;
        let deployments = api.get(&format!("/api/environments/{environment}/deployments")).await;
        let path = format!("/api/projects/{project}/env-vars");
        let variable = api.put(&path, json!({ "key": "A", "value": "b" })).await;
        let token = api.post("/api/auth/tokens", json!({ "label": "victim" })).await;
        let organization = api.organization().await;
        let path = format!("/api/organizations/{organization}/invitations");
        // An address that nobody else has.
        let invited = format!("{key}@example.com");
        let invitation = api.post(&path, json!({ "email": invited, "role": "viewer" })).await;
        let email = format!("{}@example.com", project.replace('_', "-"));
        let user = api.person(&email, &[(api.tenant().await, Role::Owner)]).await;
        let session = api.try_sign_in(&email, PASSWORD).await;
        let verifier = CodeVerifier::generate(&OsEntropy);
        let login_code = login_code(api, user, &verifier).await;
        Self {
            deployment: deployments.body[0]["id"].as_str().unwrap().to_owned(),
            variable: id(&variable),
            delivery: delivery(api, &project).await,
            key,
            token: id(&token),
            token_text: token.body["token"].as_str().unwrap().to_owned(),
            organization,
            invitation: id(&invitation),
            invitation_text: invitation.body["token"].as_str().unwrap().to_owned(),
            member: api.member("Victim", Role::Member).await,
            project,
            environment,
            cookie: api.sign_in(&email).await,
            session: id(&session),
            setup_token: api.setup_token().await,
            email,
            user,
            login_code,
            verifier,
        }
    }

    /// The path of an operation with what it is about filled in.
    pub(crate) fn path(&self, operation: &str, template: &str) -> String {
        let id = self.id_in(template);
        let query = match operation {
            "norrix_revoke_api_key" => format!("?id={id}"),
            _ => String::new(),
        };
        template
            .replace("{id}", id)
            .replace("{varId}", &self.variable)
            .replace("{delivery}", &self.delivery)
            .replace("{forge}", "github")
            .replace("{userId}", &self.member)
            .replace("{invitationId}", &self.invitation)
            + &query
    }

    fn id_in(&self, template: &str) -> &str {
        let mut parts = template.split('/').skip(2);
        match (parts.next(), parts.next()) {
            (Some("projects"), _) => &self.project,
            (Some("environments"), _) => &self.environment,
            (Some("deployments"), _) => &self.deployment,
            (Some("organizations"), _) => &self.organization,
            (_, Some("tokens")) => &self.token,
            (_, Some("sessions")) => &self.session,
            _ => &self.key,
        }
    }

    /// What an operation is about that was done, as the audit log has it.
    pub(crate) fn touched(&self, operation: &str, template: &str, answer: &Value) -> String {
        match operation {
            "create_link" => self.deployment.clone(),
            "revoke_presented_token" | "end_own_token" => self.token.clone(),
            "delete_env_var" => self.variable.clone(),
            "redeliver_webhook" => self.delivery.clone(),
            "set_member_role" | "remove_member" => self.member.clone(),
            "change_password" => self.user.to_string(),
            "revoke_invitation" => self.invitation.clone(),
            "create_api_key"
            | "norrix_create_api_key"
            | "create_token"
            | "create_invitation"
            | "create_organization"
            | "create_project"
            | "create_environment"
            | "rotate_webhook_secret"
            | "put_env_var" => answer["id"].as_str().expect("the id of what was made").to_owned(),
            _ => self.id_in(template).to_owned(),
        }
    }

    /// Brings it into a state in which an operation can do something.
    pub(crate) async fn make_ready(&self, api: &TestApi, operation: &str) {
        let (goes_live, pauses) = match operation {
            "rollback_deployment" => (false, false),
            "pause_environment" | "reset_environment" => (true, false),
            "resume_environment" => (true, true),
            _ => return,
        };
        let mut uow = api.store.write().await.unwrap();
        let tenant = uow.organizations().first_of_everyone().await.unwrap().unwrap().id;
        let id = self.deployment.parse().unwrap();
        let deployment = uow.deployments().find(tenant, id).await.unwrap().unwrap();
        let build = uow.builds().find(tenant, deployment.build_id).await.unwrap().unwrap();
        let now = api.clock.now();
        let commit: CommitId = "a".repeat(40).parse().unwrap();
        let build = build.start(commit.clone(), now).unwrap();
        let build = build.end(BuildResult::Built, "built", Usage::default(), now).unwrap();
        uow.builds().update(&build).await.unwrap();
        if operation == "reset_environment" {
            let id = deployment.project_id;
            let project = uow.projects().find_for_update(tenant, id).await.unwrap().unwrap();
            let mut settings = project.settings.clone();
            settings.services.postgres = true;
            uow.projects().update(&Project { settings, ..project }).await.unwrap();
        }
        if goes_live {
            let environment = deployment.environment_id;
            let found = uow.environments().find(tenant, environment).await.unwrap().unwrap();
            let live = found.go_live(id, now).unwrap();
            let environment =
                if pauses { live.pause(PausedBy::Person, now).unwrap() } else { live };
            uow.environments().update(&environment).await.unwrap();
            let deployment = deployment.start_building(commit, now).unwrap();
            let deployment = deployment.start_deploying(now).unwrap().go_live(now).unwrap();
            uow.deployments().update(&deployment).await.unwrap();
        }
        uow.commit().await.unwrap();
    }

    /// A body that an operation accepts, if it wants one.
    pub(crate) fn body(&self, operation: &str) -> Option<Value> {
        match operation {
            "create_api_key" | "norrix_create_api_key" => {
                Some(json!({ "name": "new", "scopes": [] }))
            }
            "rotate_api_key" | "receive_webhook" | "rotate_webhook_secret" => Some(json!({})),
            "create_token" => Some(json!({ "label": "new", "permissions": [] })),
            "revoke_presented_token" => Some(json!({ "token": self.token_text })),
            "set_up" => Some(json!({
                "token": self.setup_token, "email": "founder@example.com", "name": "Founder",
                "password": PASSWORD,
            })),
            "exchange_login_code" => Some(json!({
                "code": self.login_code.expose(),
                "code_verifier": self.verifier.expose(),
                "redirect_uri": REDIRECT,
            })),
            "login" => Some(json!({ "email": self.email, "password": PASSWORD })),
            "change_password" => {
                Some(json!({ "current_password": PASSWORD, "new_password": PASSWORD }))
            }
            "create_link" => Some(json!({ "deployment_id": self.deployment })),
            "create_organization" => Some(json!({ "name": "new" })),
            // A name that no world before this one has left behind.
            "update_organization" => Some(json!({ "name": self.member })),
            "create_invitation" => {
                Some(json!({ "email": "somebody@example.com", "role": "viewer" }))
            }
            "accept_invitation" => Some(json!({ "token": self.invitation_text })),
            "register_by_invitation" => Some(json!({
                "token": self.invitation_text,
                "name": "Somebody",
                "password": "correct horse battery staple",
            })),
            "set_member_role" => Some(json!({ "role": "viewer" })),
            "create_project" => Some(json!({ "name": "new", "github_repo": "o/new" })),
            "update_project" => Some(json!({ "port": 1 })),
            "create_environment" => Some(json!({ "branch": "other" })),
            "put_env_var" => Some(json!({ "key": "C", "value": "d" })),
            _ => None,
        }
    }

    /// The token of a link to its deployment's log.
    pub(crate) async fn link(&self, api: &TestApi) -> String {
        let body = json!({ "deployment_id": self.deployment });
        let made = api.post("/api/links", body).await;
        let url = made.body["url"].as_str().expect("a link");
        url.split_once("?token=").expect("a token in it").1.to_owned()
    }

    /// All that its owner sees of it, answer by answer.
    pub(crate) async fn seen_by_owner(&self, api: &TestApi) -> Vec<Vec<u8>> {
        let Self { project, environment, deployment, organization, member, .. } = self;
        let mut seen = Vec::new();
        // Newest first: what is made is on the first page, like all of this world.
        for path in [
            "/api/projects?limit=50".to_owned(),
            "/api/auth/api-keys?limit=50".to_owned(),
            "/api/auth/tokens?limit=50".to_owned(),
            "/api/organizations".to_owned(),
            format!("/api/organizations/{organization}/members/{member}"),
            format!("/api/organizations/{organization}/invitations?limit=50"),
            format!("/api/projects/{project}"),
            format!("/api/projects/{project}/environments"),
            format!("/api/projects/{project}/env-vars"),
            format!("/api/environments/{environment}"),
            format!("/api/environments/{environment}/deployments"),
            format!("/api/deployments/{deployment}"),
        ] {
            seen.push(api.glance(&path).await);
        }
        let mut uow = api.store.read().await.unwrap();
        let tenant = uow.organizations().first_of_everyone().await.unwrap().unwrap().id;
        let founder = uow.organizations().first_owner(tenant).await.unwrap().unwrap();
        for user in [self.user, founder] {
            let sessions = uow.sessions().list(user, PageRequest::default()).await.unwrap();
            let sessions = sessions.items.iter().map(|session| session.id.to_string());
            seen.push(sessions.collect::<String>().into_bytes());
        }
        seen
    }
}

/// A code with which a program gets a token of somebody.
async fn login_code(api: &TestApi, user: UserId, verifier: &CodeVerifier) -> OneTimeSecret {
    let new = NewLoginCode {
        challenge: verifier.challenge(),
        redirect: REDIRECT.parse().unwrap(),
        label: "windlass on a laptop".parse().unwrap(),
        life: NewLoginCode::TOKEN_LIFE,
    };
    let minted = new.mint(user, api.tenant().await, api.fx());
    let mut uow = api.store.write().await.unwrap();
    uow.login_codes().insert(&minted.record).await.unwrap();
    uow.commit().await.unwrap();
    minted.code
}

/// Whether an operation changes something when it is done.
pub(crate) fn changes(method: &Method) -> bool {
    *method != Method::GET
}

/// A push to `main` that was refused, and could be done now.
async fn delivery(api: &TestApi, project: &str) -> String {
    let fx = Effects { clock: &*api.clock, entropy: &OsEntropy };
    let id: Id<WebhookDelivery> = Id::generate(fx);
    let delivery = WebhookDelivery {
        id,
        organization_id: api.tenant().await,
        project_id: project.parse().unwrap(),
        forge: "github".to_owned(),
        forge_id: id.to_string(),
        digest: None,
        event: "push".to_owned(),
        wish: WebhookWish::Deploy {
            branch: "main".parse().unwrap(),
            commit: "a".repeat(40).parse().unwrap(),
        },
        outcome: WebhookOutcome::Refused { why: "there was no room".to_owned() },
        received_at: api.clock.now(),
    };
    let mut uow = api.store.write().await.unwrap();
    uow.webhooks().insert_delivery(&delivery).await.unwrap();
    uow.commit().await.unwrap();
    id.to_string()
}
