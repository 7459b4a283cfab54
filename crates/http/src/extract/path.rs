//! Identifiers in paths.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use windlass_auth::{ApiKeyRecord, InvitationRecord, SessionRecord, TokenRecord};
use windlass_domain::{
    Deployment, EnvVar, Environment, Id, IdKind, Organization, Project, User, WebhookDelivery,
};

use crate::problem::Problem;

/// The identifiers in a path. One that cannot be read names nothing: 404.
pub(crate) struct Path<T>(pub(crate) T);

/// What identifiers name, for people.
pub(crate) trait Resource: IdKind {
    /// Its kind, as the rest of a sentence that begins with "no such".
    const NAME: &'static str;
}

impl Resource for Project {
    const NAME: &'static str = "project";
}
impl Resource for Environment {
    const NAME: &'static str = "environment";
}
impl Resource for Deployment {
    const NAME: &'static str = "deployment";
}
impl Resource for EnvVar {
    const NAME: &'static str = "environment variable";
}
impl Resource for ApiKeyRecord {
    const NAME: &'static str = "API key";
}
impl Resource for TokenRecord {
    const NAME: &'static str = "token";
}
impl Resource for SessionRecord {
    const NAME: &'static str = "session";
}

impl Resource for InvitationRecord {
    const NAME: &'static str = "invitation";
}
impl Resource for Organization {
    const NAME: &'static str = "organization";
}
impl Resource for WebhookDelivery {
    const NAME: &'static str = "delivery";
}
impl Resource for User {
    const NAME: &'static str = "member";
}

impl<S: Send + Sync, K: Resource> FromRequestParts<S> for Path<Id<K>> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = params(parts, state, K::NAME).await?;
        Ok(Self(parse(params.iter().next())?))
    }
}

impl<S: Send + Sync, A: Resource, B: Resource> FromRequestParts<S> for Path<(Id<A>, Id<B>)> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = params(parts, state, A::NAME).await?;
        let mut params = params.iter();
        Ok(Self((parse(params.next())?, parse(params.next())?)))
    }
}

async fn params<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &str,
) -> Result<RawPathParams, Problem> {
    // Fails for what is not UTF-8.
    RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found(name))
}

fn parse<K: Resource>(param: Option<(&str, &str)>) -> Result<Id<K>, Problem> {
    param.and_then(|(_, text)| text.parse().ok()).ok_or_else(|| Problem::not_found(K::NAME))
}
