//! Operations: a handler, its description and who may call it, registered together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Router,
    middleware::{self},
    routing::MethodRouter,
};
use utoipa::openapi::{
    PathItem, Paths, Ref, RefOr, Schema, path, path::ParameterIn, security::SecurityRequirement,
};
use utoipa_axum::router::UtoipaMethodRouter;
use windlass_auth::{Permission, Scope};

use crate::{
    access::{Access, OperationAccess},
    app::Shared,
    authentication::{self, Gate},
    openapi::{self, BEARER, LINK, SESSION},
};

/// The status of one request too many.
const TOO_MANY: &str = "429";

/// One operation of the API.
pub(crate) struct Operation {
    access: Access,
    use_case: Option<&'static str>,
    is_limited: bool,
    visitor: Visitor,
    method: &'static str,
    path: String,
    description: path::Operation,
    schemas: Vec<(String, RefOr<Schema>)>,
    handler: MethodRouter<Shared>,
}

/// For whom an operation is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// Programs, those in pages among them.
    Program,
    /// People who go there in a browser.
    Browser,
    /// People whose browser is sent there by somebody else's server.
    SentBrowser,
}

/// Registers an operation for everybody.
pub(crate) fn public(route: UtoipaMethodRouter<Shared>) -> Operation {
    Operation::new(Access::Public, route)
}

/// Registers an operation for every good credential.
pub(crate) fn any_credential(route: UtoipaMethodRouter<Shared>) -> Operation {
    Operation::new(Access::AnyCredential, route)
}

/// Registers an operation for people who have signed in.
pub(crate) fn needs_session(route: UtoipaMethodRouter<Shared>) -> Operation {
    Operation::new(Access::Session, route)
}

/// Registers an operation for those who hold a permission.
pub(crate) fn needs(permission: Permission, route: UtoipaMethodRouter<Shared>) -> Operation {
    Operation::new(Access::Needs(permission), route)
}

/// Registers an operation for those who hold a permission that people know there by the name of a
/// scope.
pub(crate) fn needs_as(
    scope: Scope,
    permission: Permission,
    route: UtoipaMethodRouter<Shared>,
) -> Operation {
    Operation::new(Access::NeedsAs(permission, scope), route)
}

/// Registers an operation for those who hold a permission, be it in a link.
pub(crate) fn needs_or_link(
    permission: Permission,
    route: UtoipaMethodRouter<Shared>,
) -> Operation {
    Operation::new(Access::NeedsOrLink(permission), route)
}

/// Registers an operation for those who hold a permission, and for everybody where the operator
/// wants it so.
pub(crate) fn needs_unless_opened(
    permission: Permission,
    route: UtoipaMethodRouter<Shared>,
) -> Operation {
    Operation::new(Access::NeedsUnlessOpened(permission), route)
}

impl Operation {
    /// # Panics
    ///
    /// When `routes!` was given more or less than one handler: a mistake in this crate that every
    /// test shows.
    fn new(access: Access, (schemas, paths, handler): UtoipaMethodRouter<Shared>) -> Self {
        let (path, method, mut description) =
            only_operation(paths).expect("an operation is registered by one handler");
        openapi::parameters::complete(&path, &mut description);
        if takes_name(method, &description) {
            openapi::once::describe(&mut description);
        }
        announce(access, &mut description);
        Self {
            access,
            use_case: None,
            is_limited: true,
            visitor: Visitor::Program,
            method,
            path,
            description,
            schemas,
            handler,
        }
    }

    /// The same, as another way to ask for a use case.
    pub(crate) fn for_use_case(self, name: &'static str) -> Self {
        Self { use_case: Some(name), ..self }
    }

    /// The same, as often as anybody likes.
    pub(crate) fn without_limit(mut self) -> Self {
        self.description.responses.responses.remove(TOO_MANY);
        Self { is_limited: false, ..self }
    }

    /// The same where people look at what comes: errors are pages for whoever asks for pages.
    pub(crate) fn for_browsers(self) -> Self {
        Self { visitor: Visitor::Browser, ..self }
    }

    /// The same where somebody else's server says what browsers ask for: parameters that are not
    /// described are passed over (RFC 6749, section 4.1.2).
    pub(crate) fn for_browsers_that_are_sent(self) -> Self {
        Self { visitor: Visitor::SentBrowser, ..self }
    }

    /// Its line in the reference table.
    pub(crate) fn row(&self) -> OperationAccess {
        OperationAccess {
            operation_id: self.id().to_owned(),
            use_case: self.use_case().to_owned(),
            method: self.method,
            path: self.path.clone(),
            permission: self.access.permission(),
            scope: self.access.scope(),
            needs_credential: self.access.needs_credential(false),
            needs_session: self.access.needs_session(),
        }
    }

    /// Adds it to the API's description.
    pub(crate) fn document(self, document: &mut utoipa::openapi::OpenApi) {
        let item = document.paths.paths.entry(self.path).or_default();
        if let Some(place) = place_of(item, self.method) {
            *place = Some(self.description);
        }
        let components = document.components.get_or_insert_default();
        components.schemas.extend(self.schemas);
    }

    /// Adds it to the service, behind its gate.
    pub(crate) fn register(self, router: Router<Shared>, app: &Shared) -> Router<Shared> {
        let parameters = self.query_parameters();
        let gate = Gate::new(app.clone(), &self, parameters);
        let gate = middleware::from_fn_with_state(Arc::new(gate), authentication::pass);
        router.route(&self.path, self.handler.route_layer(gate))
    }

    /// Who may call it.
    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// Whether a request can be named, so that it is carried out once: one that makes something, or
    /// begins to.
    pub(crate) fn is_named(&self) -> bool {
        takes_name(self.method, &self.description)
    }

    /// Whether somebody can call it too often.
    pub(crate) fn is_limited(&self) -> bool {
        self.is_limited
    }

    /// Who it is made for.
    pub(crate) fn visitor(&self) -> Visitor {
        self.visitor
    }

    fn id(&self) -> &str {
        self.description.operation_id.as_deref().unwrap_or_default()
    }

    /// The name of its use case: its own, unless there are several ways to ask for it.
    pub(crate) fn use_case(&self) -> &str {
        self.use_case.unwrap_or(self.id())
    }

    /// The names of the query parameters that it knows.
    fn query_parameters(&self) -> BTreeSet<String> {
        parameters_in(&self.description, ParameterIn::Query).map(str::to_owned).collect()
    }
}

/// Writes into the description what follows from the access and the shape: what is needed, and
/// the errors that every such operation can answer.
fn announce(access: Access, operation: &mut path::Operation) {
    let text = operation.description.get_or_insert_default();
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(&access.describe());

    let needs_credential = access.needs_credential(false);
    operation.security = Some(security_of(access));
    if needs_credential {
        let organization = openapi::parameters::organization();
        operation.parameters.get_or_insert_default().push(RefOr::T(organization));
    }

    let is_list = parameters_in(operation, ParameterIn::Query).any(|name| name == "cursor");
    if let Some(RefOr::T(page)) = operation.responses.responses.get_mut("200").filter(|_| is_list) {
        openapi::lead_to_next_page(page);
    }
    let has_path_parameter = parameters_in(operation, ParameterIn::Path).next().is_some();
    let errors = [
        ("400", true),
        ("401", needs_credential),
        ("403", needs_credential),
        ("404", has_path_parameter),
        ("413", operation.request_body.is_some()),
        ("415", operation.request_body.is_some()),
        ("422", operation.request_body.is_some()),
        (TOO_MANY, true),
        ("500", true),
        ("503", true),
    ];
    let responses: &mut BTreeMap<_, _> = &mut operation.responses.responses;
    if let Some(scope) = access.scope() {
        let lacking = openapi::lacking(scope);
        responses.entry("403".to_owned()).or_insert_with(|| RefOr::T(lacking));
    }
    for (status, _) in errors.into_iter().filter(|(_, applies)| *applies) {
        let name = openapi::response_name(status);
        responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::Ref(Ref::from_response_name(name)));
    }
}

/// Whether an operation makes something, or begins to.
fn takes_name(method: &str, operation: &path::Operation) -> bool {
    let responses = &operation.responses.responses;
    method == "POST" && (responses.contains_key("201") || responses.contains_key("202"))
}

/// What may be presented; one of these is enough.
fn security_of(access: Access) -> Vec<SecurityRequirement> {
    let by = |way: &str| match access.scope() {
        Some(scope) => SecurityRequirement::new(way, [scope.name()]),
        None => SecurityRequirement::new(way, [""; 0]),
    };
    match access {
        // An empty list overrides what the document says for all.
        Access::Public => Vec::new(),
        Access::Session => vec![by(SESSION)],
        Access::AnyCredential | Access::Needs(_) | Access::NeedsAs(..) => {
            vec![by(BEARER), by(SESSION)]
        }
        Access::NeedsOrLink(_) => vec![by(BEARER), by(SESSION), by(LINK)],
        Access::NeedsUnlessOpened(_) => {
            vec![by(BEARER), by(SESSION), SecurityRequirement::default()]
        }
    }
}

/// The names of an operation's parameters in one place.
fn parameters_in(operation: &path::Operation, place: ParameterIn) -> impl Iterator<Item = &str> {
    let parameters = operation.parameters.iter().flatten();
    parameters.filter_map(move |parameter| match parameter {
        RefOr::T(found) if found.parameter_in == place => Some(found.name.as_str()),
        RefOr::T(_) | RefOr::Ref(_) => None,
    })
}

fn only_operation(mut paths: Paths) -> Option<(String, &'static str, path::Operation)> {
    let (path, mut item) = paths.paths.pop_first()?;
    let mut found = METHODS
        .into_iter()
        .filter_map(|method| Some((method, place_of(&mut item, method)?.take()?)))
        .collect::<Vec<_>>();
    let (method, operation) = found.pop()?;
    (paths.paths.is_empty() && found.is_empty()).then_some((path, method, operation))
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

fn place_of<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Option<path::Operation>> {
    match method {
        "GET" => Some(&mut item.get),
        "POST" => Some(&mut item.post),
        "PUT" => Some(&mut item.put),
        "PATCH" => Some(&mut item.patch),
        "DELETE" => Some(&mut item.delete),
        _ => None,
    }
}
