//! A service of its own that lets people in with API keys and tokens: it keeps a note for each
//! project. `cargo run --package windlass-example-embed` prints its address and a first key.

mod caller;
mod memory;

use std::{error::Error, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{delete, get, post},
};
use tokio::net::TcpListener;
use windlass_auth::{
    Credential, Effects, HasherOptions, KeyFormat, KeyHasher, KeyVerifier, Membership, NewApiKey,
    NewToken, OrganizationId, OsEntropy, Permission, ProjectId, Role, RootKeys, Scope, SystemClock,
    Target, TokenVerifier, UserId, VerifierOptions, mint, mint_token,
};

use crate::{caller::Caller, memory::Memory};

const FX: Effects<'static> = Effects { clock: &SystemClock, entropy: &OsEntropy };

struct Service {
    memory: Arc<Memory>,
    keys: KeyVerifier,
    tokens: TokenVerifier,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "it has something to say to whoever starts it")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (memory, clock) = (Arc::new(Memory::default()), Arc::new(SystemClock));
    let (format, hasher) =
        (KeyFormat::with_prefix("note")?, KeyHasher::new(HasherOptions::default()));

    let organization_id = OrganizationId::generate(FX);
    let ada = Membership { organization_id, user_id: UserId::generate(FX), role: Role::Owner };
    let first = NewApiKey::new("first".parse()?, vec![Scope::Admin]);
    let first = mint(first, ada, &format, &hasher, FX).await?;
    memory.let_in(ada).await;
    memory.add_key(first.record).await;

    let (options, root_keys) = (VerifierOptions::default(), RootKeys::generate(&OsEntropy));
    let keys = KeyVerifier::new(memory.clone(), hasher, format, clock.clone(), options);
    let tokens = TokenVerifier::new(memory.clone(), root_keys, clock, options);
    let routes = Router::new()
        .route("/notes/{project}", get(read_note).put(write_note))
        .route("/tokens", post(create_token))
        .route("/credential", delete(revoke))
        .with_state(Arc::new(Service { memory, keys, tokens }));

    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}\n{}", listener.local_addr()?, first.key.expose());
    axum::serve(listener, routes.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

async fn read_note(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<ProjectId>,
) -> Result<String, StatusCode> {
    let organization = caller.organization();
    caller.may(Permission::ProjectsRead, Target::project(organization, project))?;
    service.memory.note(organization, project).await.ok_or(StatusCode::NOT_FOUND)
}

async fn write_note(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<ProjectId>,
    note: String,
) -> Result<StatusCode, StatusCode> {
    let organization = caller.organization();
    caller.may(Permission::ProjectsWrite, Target::project(organization, project))?;
    service.memory.write_note(organization, project, note).await;
    Ok(StatusCode::NO_CONTENT)
}

/// A token for all that the caller may do. Whoever holds it can narrow it without asking.
async fn create_token(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<(StatusCode, String), StatusCode> {
    caller.may(Permission::TokensWrite, Target::organization(caller.organization()))?;
    let label = "handed on".parse().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let root_keys = service.tokens.root_keys();
    let minted = mint_token(NewToken::new(label), caller.principal(), &root_keys, FX)
        .map_err(|_| StatusCode::FORBIDDEN)?;
    service.memory.add_token(minted.record).await;
    Ok((StatusCode::CREATED, minted.token.expose().to_owned()))
}

/// Ends the key or token that the caller has presented, here and now.
async fn revoke(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<StatusCode, StatusCode> {
    let organization = Target::organization(caller.organization());
    match caller.principal().credential {
        Credential::ApiKey { id, .. } => {
            caller.may(Permission::ApiKeysWrite, organization)?;
            service.memory.revoke_key(id).await;
            service.keys.forget(id);
        }
        Credential::Token { id, .. } => {
            caller.may(Permission::TokensWrite, organization)?;
            service.memory.revoke_token(id).await;
            service.tokens.forget(id);
        }
        Credential::Session { .. } => return Err(StatusCode::FORBIDDEN),
    }
    Ok(StatusCode::NO_CONTENT)
}
