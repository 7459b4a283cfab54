//! The API's description, as JSON and as pages.

use axum::{
    Router,
    extract::Request,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    app::Shared,
    operation::{Operation, public},
};

/// Swagger UI runs its own scripts, asks this server alone and sets styles on elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

pub(crate) fn operations() -> Vec<Operation> {
    vec![public(routes!(get_openapi)).without_limit()]
}

/// The pages at `/docs`, which are no operations.
pub(crate) fn router() -> Router<Shared> {
    let config = Config::from("/openapi.json")
        .display_request_duration(true)
        .display_operation_id(true)
        .validator_url("none");
    Router::from(SwaggerUi::new("/docs").config(config)).layer(from_fn(permit_scripts))
}

async fn permit_scripts(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-cache")];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Get this document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "server",
    responses((status = 200, description = "The OpenAPI document", content_type = "application/json", body = Object)),
)]
pub(crate) async fn get_openapi(State(app): State<Shared>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], app.document.clone())
}
