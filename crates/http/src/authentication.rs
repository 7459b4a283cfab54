//! What stands before every handler: who calls, which parameters, for how long.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use windlass_auth::{CredentialKind, bearer_credential};
use windlass_control::{Caller, ControlError, Occasion, Presentation, PresentedCredential};
use windlass_domain::OrganizationId;

use crate::{
    access::Access,
    app::Shared,
    client_address::ClientAddress,
    limits::Standing,
    once,
    openapi::{LINK_PARAMETER, ORGANIZATION_PARAMETER},
    operation::{Operation, Visitor},
    pages,
    problem::Problem,
    request_id::RequestId,
    same_origin,
    sessions::cookie,
    wait::MAX_WAIT,
};

/// What a request has shown of who it comes from, for as long as its answer lasts.
#[derive(Clone)]
pub(crate) struct Shown {
    credential: SecretString,
    place: Place,
    organization: Option<OrganizationId>,
    address: Option<IpAddr>,
}

/// Where a request shows its credential.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Address,
    Cookie,
}

/// What one operation asks of every request.
pub(crate) struct Gate {
    app: Shared,
    use_case: Arc<str>,
    access: Access,
    is_limited: bool,
    needs_credential: bool,
    is_named: bool,
    visitor: Visitor,
    parameters: BTreeSet<String>,
    at_most: Duration,
}

impl Gate {
    pub(crate) fn new(
        app: Shared,
        operation: &Operation,
        mut parameters: BTreeSet<String>,
    ) -> Self {
        let (access, is_limited) = (operation.access(), operation.is_limited());
        let needs_credential = access.needs_credential(app.options.open_metrics);
        if access.takes_link() {
            parameters.insert(LINK_PARAMETER.to_owned());
        }
        let waiting = if parameters.contains("wait") { MAX_WAIT } else { Duration::ZERO };
        let at_most = app.options.request_timeout.saturating_add(waiting);
        let use_case = operation.use_case().into();
        Self {
            use_case,
            access,
            is_limited,
            needs_credential,
            is_named: operation.is_named(),
            visitor: operation.visitor(),
            parameters,
            at_most,
            app,
        }
    }

    /// The request, as logs name it.
    fn occasion(&self, request: &Request) -> Occasion {
        Occasion {
            action: Arc::clone(&self.use_case),
            request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
            address: ClientAddress::of(request.extensions()),
        }
    }

    /// Finds out who calls, and leaves what was shown with the request. Before that takes long, and
    /// where it is nobody, the request counts for its address.
    async fn identify(
        &self,
        request: &mut Request,
        parameters: &Parameters,
        counted: &Counted,
    ) -> Result<Caller, Problem> {
        let occasion = self.occasion(request);
        if let Some(everyone) = &self.app.everyone {
            return Ok(self.app.control.caller(Arc::clone(everyone), occasion));
        }
        let address = occasion.address;
        let (credential, place) = match self.credential(request.headers(), parameters) {
            Ok(found) => found,
            Err(nobody) => {
                self.count_stranger(address, counted)?;
                return Err(nobody);
            }
        };
        let organization = parameters.organization()?;
        let shown = Shown { credential, place, organization, address };
        let is_slow = self.app.control.is_slow(&shown.presentation());
        if is_slow {
            self.count_stranger(address, counted)?;
        }
        match self.app.control.identify(shown.presentation(), occasion).await {
            Ok(caller) => {
                self.count(counted, || self.app.limits.count_caller(&caller.principal))?;
                if self.access.needs_session() && place != Place::Cookie {
                    return Err(Problem::needs_session());
                }
                if place == Place::Cookie {
                    self.check_origin(request)?;
                }
                request.extensions_mut().insert(shown);
                Ok(caller)
            }
            Err(err) => {
                if !is_slow && matches!(err, ControlError::InvalidCredential(_)) {
                    self.count_stranger(address, counted)?;
                }
                Err(err.into())
            }
        }
    }

    fn count_stranger(&self, address: Option<IpAddr>, counted: &Counted) -> Result<(), Problem> {
        self.count(counted, || self.app.limits.count_stranger(address))
    }

    /// Counts a request, and refuses one that is too many.
    fn count(
        &self,
        counted: &Counted,
        count: impl FnOnce() -> Option<Standing>,
    ) -> Result<(), Problem> {
        let Some(standing) = self.is_limited.then(count).flatten() else { return Ok(()) };
        counted.set(standing);
        standing.check()
    }

    async fn answer(
        &self,
        mut request: Request,
        next: Next,
        counted: &Counted,
    ) -> Result<Response, Problem> {
        name_host(&mut request);
        let parameters = Parameters::of(request.uri());
        if !self.needs_credential {
            let occasion = self.occasion(&request);
            request.extensions_mut().insert(occasion);
            self.count_stranger(ClientAddress::of(request.extensions()), counted)?;
            self.check(&parameters)?;
            return Ok(next.run(request).await);
        }
        let caller = self.identify(&mut request, &parameters, counted).await?;
        tracing::Span::current().record("caller", caller.principal.label());
        request.extensions_mut().insert(caller.clone());
        self.check(&parameters)?;
        let key = if self.is_named { once::key(request.headers())? } else { None };
        let mut answer = match key {
            Some(key) => {
                let control = &self.app.control;
                once::run(control, &caller, key, self.at_most, request, next).await?
            }
            None => next.run(request).await,
        };
        if let Some(problem) = answer.extensions_mut().get_mut::<Problem>() {
            problem.name_as_known(self.access);
            problem.blame(caller.principal.credential.kind());
        }
        Ok(answer)
    }

    fn check(&self, parameters: &Parameters) -> Result<(), Problem> {
        let is_lenient = self.visitor == Visitor::SentBrowser;
        let is_known = |name: &str| is_lenient || self.parameters.contains(name);
        parameters.check(is_known, &self.parameters)
    }

    /// What is presented. Whoever writes a header means it; a browser sends its cookies unasked.
    fn credential(
        &self,
        headers: &HeaderMap,
        parameters: &Parameters,
    ) -> Result<(SecretString, Place), Problem> {
        if headers.contains_key(header::AUTHORIZATION) {
            return Ok((bearer(headers)?.into(), Place::Header));
        }
        if self.access.takes_link()
            && let Some(token) = parameters.first(LINK_PARAMETER)
        {
            return Ok((token.into(), Place::Address));
        }
        let session = cookie::SESSION.presented(headers).ok_or_else(Problem::no_credential)?;
        Ok((session.into(), Place::Cookie))
    }

    /// Refuses changes that somebody else's page has a browser ask for, which sends its session
    /// along with whatever any page asks for.
    fn check_origin(&self, request: &Request) -> Result<(), Problem> {
        let is_own = || same_origin::is_own(request.headers(), &self.app.options.public_url);
        if same_origin::is_unsafe(request.method()) && !is_own() {
            return Err(Problem::foreign_origin());
        }
        Ok(())
    }
}

impl Shown {
    /// The credential itself.
    pub(crate) fn text(&self) -> &str {
        self.credential.expose_secret()
    }

    /// The same, to be verified (again).
    pub(crate) fn presentation(&self) -> Presentation<'_> {
        let credential = match self.place {
            Place::Header => PresentedCredential::Bearer(self.text()),
            Place::Address => PresentedCredential::Link(self.text()),
            Place::Cookie => PresentedCredential::Session(self.text()),
        };
        Presentation { credential, organization: self.organization, address: self.address }
    }
}

/// Where whoever asks stands, once the request was counted.
#[derive(Default)]
struct Counted(Mutex<Option<Standing>>);

impl Counted {
    fn set(&self, standing: Standing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(standing);
    }

    /// Says so in an answer.
    fn tell(&self, answer: &mut Response) {
        if let Some(standing) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            standing.tell(answer.headers_mut());
        }
    }
}

/// Lets a request through to its handler; one that needs a [`Caller`] finds it in the request's
/// extensions.
pub(crate) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let counted = Counted::default();
    let is_for_people = gate.visitor != Visitor::Program && pages::is_wanted(request.headers());
    let answer = timeout(gate.at_most, gate.answer(request, next, &counted)).await;
    let answer = answer.unwrap_or_else(|_| Err(Problem::too_slow()));
    let mut answer = answer.into_response();
    if is_for_people {
        pages::show_problem_in(&mut answer);
    }
    counted.tell(&mut answer);
    answer
}

/// HTTP/2 says in the address which host is meant, HTTP/1.1 in a header: from here on it is there.
pub(crate) fn name_host(request: &mut Request) {
    let authority = request.uri().authority().map(Authority::as_str);
    let host = authority.and_then(|authority| HeaderValue::from_str(authority).ok());
    if let Some(host) = host {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// The one bearer credential of a request (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut presented = headers.get_all(header::AUTHORIZATION).into_iter();
    let Some(value) = presented.next() else {
        return Err(Problem::no_credential());
    };
    match (value.to_str().ok().and_then(bearer_credential), presented.next()) {
        (Some(credential), None) => Ok(credential),
        _ => Err(Problem::invalid_credential(CredentialKind::ApiKey)),
    }
}

/// The query of a request's address, in its order; nothing where it cannot be read.
struct Parameters(Option<Vec<(String, String)>>);

impl Parameters {
    fn of(uri: &Uri) -> Self {
        Self(Query::try_from_uri(uri).ok().map(|Query(given)| given))
    }

    fn all(&self) -> Result<&[(String, String)], Problem> {
        self.0.as_deref().ok_or_else(|| Problem::bad_query("the query cannot be read"))
    }

    fn first(&self, name: &str) -> Option<&str> {
        let mut given = self.0.iter().flatten().filter(|(given, _)| given == name);
        given.next().map(|(_, value)| value.as_str())
    }

    /// The organization that is named.
    fn organization(&self) -> Result<Option<OrganizationId>, Problem> {
        self.all()?;
        let name = ORGANIZATION_PARAMETER;
        let refuse = |_| Problem::bad_query(format!("`{name}` must be the id of an organization"));
        self.first(name).map(str::parse).transpose().map_err(refuse)
    }

    /// Refuses those that the operation does not know, that come twice or cannot be read.
    fn check(
        &self,
        is_known: impl Fn(&str) -> bool,
        known: &BTreeSet<String>,
    ) -> Result<(), Problem> {
        // What is not UTF-8 arrives as U+FFFD.
        let is_bad = |text: &str| text.chars().any(|c| c.is_control() || c == '\u{fffd}');
        let mut seen = BTreeSet::new();
        for (name, value) in self.all()? {
            if !is_known(name) {
                let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
                let hint =
                    if known.is_empty() { "there are none".to_owned() } else { list.join(", ") };
                let name = crate::problem::legible(name);
                let message = format!("unknown parameter `{name}`: known: {hint}");
                return Err(Problem::bad_query(message));
            }
            if !seen.insert(name) {
                return Err(Problem::bad_query(format!("`{name}` is given twice")));
            }
            if is_bad(value) {
                let message = format!("`{name}` must be UTF-8 without control characters");
                return Err(Problem::bad_query(message));
            }
        }
        Ok(())
    }
}
