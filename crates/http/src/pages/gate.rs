//! What stands before every page: how often, for how long, and what it is called.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tokio::time::timeout;
use windlass_control::Occasion;

use crate::{
    app::Shared, authentication::name_host, client_address::ClientAddress, limits::Standing,
    problem::Problem, request_id::RequestId,
};

/// Lets a request through to its page; what is done there finds its [`Occasion`] in the request's
/// extensions. It counts for its address, as whatever is asked for without a credential.
pub(super) async fn pass(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    name_host(&mut request);
    let is_for_people = super::is_wanted(request.headers());
    let occasion = occasion(&request);
    let standing = app.limits.count_stranger(occasion.address);
    request.extensions_mut().insert(occasion);
    let mut answer = match standing.map_or(Ok(()), Standing::check) {
        Ok(()) => {
            let answer = timeout(app.options.request_timeout, next.run(request)).await;
            answer.unwrap_or_else(|_| Problem::too_slow().into_response())
        }
        Err(refused) => refused.into_response(),
    };
    if is_for_people {
        super::show_problem_in(&mut answer);
    }
    if let Some(standing) = standing {
        standing.tell(answer.headers_mut());
    }
    answer
}

/// What is asked for, for the audit log: it is called the same as over the API.
fn occasion(request: &Request) -> Occasion {
    let action = match request.uri().path() {
        "/setup" => "set_up",
        "/invitation" => "accept_invitation",
        "/authorize" => "grant_login_code",
        "/logout" => "logout",
        _ => "login",
    };
    Occasion {
        action: action.into(),
        request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
        address: ClientAddress::of(request.extensions()),
    }
}
