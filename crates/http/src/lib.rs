//! The HTTP face of Windlass: extract, call one use case, present the answer.
//!
//! Nothing in here decides anything about projects or callers; see `windlass-control`. Each
//! operation is registered together with the one permission it needs ([`permissions`]), and the
//! API's description ([`openapi`]) is made from the same registration.

mod access;
mod api_keys;
mod app;
mod audit;
mod authentication;
mod client_address;
mod deployments;
mod docs;
mod env_vars;
mod environments;
mod extract;
mod fields;
mod health;
mod identity;
mod invitations;
mod limits;
mod links;
mod logs;
mod members;
mod metrics;
mod moment;
mod observe;
mod once;
mod openapi;
mod operation;
mod organizations;
mod page;
mod pages;
mod problem;
mod projects;
mod quota;
mod request_id;
mod same_origin;
mod sessions;
mod tag;
mod tokens;
mod usage;
mod wait;
mod webhooks;

pub use crate::{
    access::{OperationAccess, permissions},
    app::{AppAddress, HttpState, Options},
    client_address::{ForwardedHeader, Peer, TrustedProxies},
    limits::RateLimits,
    openapi::openapi,
    sessions::cookie::presented as presented_session,
};

use axum::{Router, middleware};

use crate::{app::Shared, operation::Operation};

/// The whole API as a service, its documentation included.
pub fn router(state: HttpState) -> Router {
    routes(Shared::new(state, None))
}

/// The same API where everybody is this caller, whatever they present: what remains when nobody
/// looks at credentials, to compare with.
#[cfg(feature = "bench")]
pub fn router_for(state: HttpState, everyone: std::sync::Arc<windlass_auth::Principal>) -> Router {
    routes(Shared::new(state, Some(everyone)))
}

fn routes(app: Shared) -> Router {
    operations()
        .into_iter()
        .fold(Router::new(), |router, operation| operation.register(router, &app))
        .merge(docs::router())
        .merge(pages::router(&app))
        .layer(middleware::from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}

/// Every operation there is.
fn operations() -> Vec<Operation> {
    [
        health::operations(),
        metrics::operations(),
        identity::operations(),
        sessions::operations(),
        api_keys::operations(),
        tokens::operations(),
        organizations::operations(),
        members::operations(),
        invitations::operations(),
        projects::operations(),
        environments::operations(),
        deployments::operations(),
        logs::operations(),
        links::operations(),
        env_vars::operations(),
        usage::operations(),
        quota::operations(),
        audit::operations(),
        webhooks::operations(),
        docs::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
