//! People who sign in.

use axum::{
    body::Body,
    http::{Method, Request, header, request::Builder},
};
use serde_json::{Value, json};
use windlass_auth::{Membership, PlainPassword, Role};
use windlass_control::{SetUpFor, offer_set_up};
use windlass_domain::{Organization, OrganizationId, OsEntropy, User, UserId};

use crate::harness::{Answer, TestApi};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Where browsers find the server.
pub(crate) const HOST: &str = "windlass.example.com";

impl TestApi {
    /// The organization of the owner.
    pub(crate) async fn tenant(&self) -> OrganizationId {
        let mut uow = self.store.read().await.unwrap();
        uow.organizations().first_of_everyone().await.unwrap().unwrap().id
    }

    /// Another organization.
    pub(crate) async fn another_tenant(&self) -> OrganizationId {
        let other = Organization::create("Other".parse().unwrap(), self.fx());
        let mut uow = self.store.write().await.unwrap();
        uow.organizations().insert(&other).await.unwrap();
        uow.commit().await.unwrap();
        other.id
    }

    /// Somebody who can sign in, and has these places.
    pub(crate) async fn person(&self, email: &str, places: &[(OrganizationId, Role)]) -> UserId {
        let named = User::create("Ada".parse().unwrap(), self.fx());
        let user = User { email: Some(email.parse().unwrap()), ..named };
        let password = PlainPassword::new(PASSWORD).unwrap();
        let hash = self.passwords.hash(&password, &OsEntropy).await.unwrap();
        let mut uow = self.store.write().await.unwrap();
        uow.organizations().insert_user(&user).await.unwrap();
        for (organization_id, role) in places {
            let (organization_id, role) = (*organization_id, *role);
            let place = Membership { organization_id, user_id: user.id, role };
            uow.organizations().insert_membership(&place).await.unwrap();
        }
        uow.accounts().set_password(user.id, &hash, user.created_at).await.unwrap();
        uow.commit().await.unwrap();
        user.id
    }

    /// The secret of the link that claims the owner's account.
    pub(crate) async fn setup_token(&self) -> String {
        let offered = offer_set_up(&*self.store, self.fx(), SetUpFor::Anybody).await;
        offered.unwrap().expect("an owner").expose().to_owned()
    }

    /// Begins a request of a browser that looks at a page of ours and keeps this cookie.
    pub(crate) fn by_browser(cookie: &str, method: Method, path: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST)
            .header(header::COOKIE, cookie)
            .header("Sec-Fetch-Site", "same-origin")
            .header(header::USER_AGENT, "Mozilla/5.0 (Test)")
    }

    /// Sends what a browser sends.
    pub(crate) async fn browse(
        &self,
        cookie: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = Self::by_browser(cookie, method, path);
        self.answer(with_body(request, body)).await
    }

    /// Tries to sign in.
    pub(crate) async fn try_sign_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.browse("", Method::POST, "/api/auth/login", Some(body)).await
    }

    /// Signs in, and gives the cookie that the browser keeps.
    pub(crate) async fn sign_in(&self, email: &str) -> String {
        let answer = self.try_sign_in(email, PASSWORD).await;
        let cookie = answer.headers.get(header::SET_COOKIE);
        let cookie = cookie.unwrap_or_else(|| panic!("{} {}", answer.status, answer.body));
        cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

/// Ends a request with JSON, or with nothing.
pub(crate) fn with_body(request: Builder, body: Option<Value>) -> Request<Body> {
    let request = match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    request.expect("a well-formed request")
}
