//! The description of the API.

pub(crate) mod once;
pub(crate) mod parameters;

use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components, ContentBuilder, Header, HeaderBuilder, LicenseBuilder, ObjectBuilder,
        OpenApi as Document, Ref, RefOr, Response, ResponseBuilder, Type,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use windlass_auth::Scope;

use crate::{problem::ErrorBody, sessions::cookie::SECURE as SECURE_COOKIE};

/// The name of the usual way to authenticate.
pub(crate) const BEARER: &str = "bearer";

/// The name of the way to authenticate by a link.
pub(crate) const LINK: &str = "link";

/// The name of the way to authenticate by a session.
pub(crate) const SESSION: &str = "session";

/// The parameter of an address that names an organization.
pub(crate) const ORGANIZATION_PARAMETER: &str = "orgId";

/// The parameter of an address in which a link carries its token.
pub(crate) const LINK_PARAMETER: &str = "token";

/// The API's complete description (OpenAPI 3.1). Needs no configuration and no running server.
#[must_use]
pub fn openapi() -> Document {
    let mut document = Base::openapi();
    for operation in crate::operations() {
        operation.document(&mut document);
    }
    document
}

const DESCRIPTION: &str = "\
Windlass takes a git repository to a running, metered service.

**Credentials.** Send an API key or a token as `Authorization: Bearer …`. What an operation needs is \
written beside it; a credential that is bound to projects finds no others, and one that is bound to \
addresses is answered with 403 and `address_not_allowed` from elsewhere. Tokens are \
[Biscuits](https://www.biscuitsec.org): whoever holds one can narrow it offline and hand it on. \
A browser in which somebody has signed in sends a cookie instead; what changes something is then \
taken from our own pages only. A session opens all organizations of its person, of which `orgId` \
chooses one; a key or token opens one, and `orgId` must be that.

**Errors.** Every error has one body: `error` (the reason phrase), `message` (for people), `code` \
(for programs) and `request_id`. A 422 lists all wrong fields at once. An identifier that is \
malformed, unknown or out of the credential's reach is answered with 404. A method that an address \
does not know is answered with 405 and `Allow`. Query parameters and fields that are not described \
here are refused.

**Lists** are arrays, newest first. `Link` (`rel=\"next\"`) and `X-Next-Cursor` lead to the next \
page; the last one has neither.

**Changes.** A single project, environment or deployment comes with an `ETag`; a client that sends \
it as `If-None-Match` gets a 304 while that is still what there is. Changing or deleting a project \
and destroying an environment honour `If-Match`: they fail with 412 where it has changed \
meanwhile. Other operations take no notice of `If-Match`.

**Limits.** Requests are counted by credential, and by address (by /64 of IPv6) where there is no \
good one. `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) tell where one \
stands: `\"credential\";r=997;t=1` is 997 more at once, and all of them again in a second. One \
request too many is answered with 429 and `Retry-After`. A log that is followed counts once.

**Once.** A request that makes something, or begins to, can be named by `Idempotency-Key` \
(draft-ietf-httpapi-idempotency-key-header). Sent again within 24 hours by the same person with the \
same credential, it is answered as before, with `Idempotency-Replayed: true`; while it is still \
being carried out, with 409 and `in_progress`; and another request of that name with 422. Only \
what was done is kept: a request that was refused or has failed can be sent again under its name.

**Requests** may carry `X-Request-Id`; every answer has one, and the server's logs name it.
";

#[derive(OpenApi)]
#[openapi(
    info(title = "Windlass", description = DESCRIPTION, license(name = "Apache-2.0", identifier = "Apache-2.0")),
    servers((url = "/", description = "The server that this document comes from")),
    components(schemas(ErrorBody)),
    modifiers(&Shared),
    tags(
        (name = "projects", description = "Git repositories that are built and run"),
        (name = "environments", description = "Branches of a project, each running under its own address"),
        (name = "deployments", description = "Pushes on their way to being live"),
        (name = "logs", description = "What builds and apps print"),
        (name = "env-vars", description = "Variables for builds and apps; their values are write-only"),
        (name = "webhooks", description = "What forges tell: pushes that are deployed, branches that are gone"),
        (name = "usage", description = "What builds cost"),
        (name = "audit", description = "Who did what, and what was refused"),
        (name = "auth", description = "Who calls, API keys, tokens and sessions"),
        (name = "organizations", description = "Organizations, who belongs to them and who is invited"),
        (name = "server", description = "The server itself"),
    ),
)]
struct Base;

/// What many operations refer to.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut Document) {
        document.info.license =
            Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build());
        let components = document.components.get_or_insert_with(Components::new);
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("API key or token")
            .description(Some("An API key, such as `wls_…`, or a token: a Biscuit in base64."))
            .build();
        components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
        let link = ApiKeyValue::with_description(
            LINK_PARAMETER,
            "The token of a link, where there is no `Authorization`.",
        );
        components.add_security_scheme(LINK, SecurityScheme::ApiKey(ApiKey::Query(link)));
        let session = ApiKeyValue::with_description(
            SECURE_COOKIE,
            "The session of a browser, where there is no `Authorization`; `windlass_session` where the \
             server is asked without TLS on its own machine.",
        );
        components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(session)));
        for error in &ERRORS {
            let response = RefOr::T(error.response());
            components.responses.insert(response_name(error.status).to_owned(), response);
        }
    }
}

/// The name under which the answer of a status is described once for all operations.
pub(crate) fn response_name(status: &str) -> &'static str {
    ERRORS.iter().find(|error| error.status == status).map_or("InternalError", |error| error.name)
}

/// Describes the answer to a credential that lacks a scope.
pub(crate) fn lacking(scope: Scope) -> Response {
    let message = format!("API key does not have '{scope}' scope");
    let forbidden = SharedError { code: "insufficient_scope", message: &message, ..FORBIDDEN };
    forbidden.response()
}

/// Describes how one page of a list leads to the next.
pub(crate) fn lead_to_next_page(page: &mut Response) {
    let headers = [
        ("Link", "The next page, as `rel=\"next\"`; absent on the last one"),
        ("X-Next-Cursor", "The cursor of the next page; absent on the last one"),
    ];
    for (name, description) in headers {
        page.headers.insert(name.to_owned(), RefOr::T(text_header(description)));
    }
}

fn text_header(description: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    HeaderBuilder::new().schema(Some(text)).description(Some(description)).build()
}

/// An error that many operations can answer.
struct SharedError<'a> {
    status: &'static str,
    name: &'static str,
    reason: &'static str,
    description: &'static str,
    code: &'static str,
    message: &'a str,
    header: Option<(&'static str, &'static str)>,
}

impl SharedError<'_> {
    fn response(&self) -> Response {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Error")))
            .example(Some(self.example()))
            .build();
        let response = ResponseBuilder::new()
            .description(self.description)
            .content("application/json", content);
        match self.header {
            Some((name, description)) => response.header(name, text_header(description)).build(),
            None => response.build(),
        }
    }

    fn example(&self) -> Value {
        let mut example = json!({
            "error": self.reason,
            "message": self.message,
            "code": self.code,
            "request_id": "0f0a4b1e-2f7c-4a53-9c6e-5b7d1c0b9a11",
        });
        if self.status == "422" {
            let field = json!([{ "field": "name", "message": "is required" }]);
            example.as_object_mut().map(|object| object.insert("fields".to_owned(), field));
        }
        example
    }
}

const FORBIDDEN: SharedError<'static> = SharedError {
    status: "403",
    name: "Forbidden",
    reason: "Forbidden",
    description: "The credential grants too little, or may not be used from this address",
    code: "address_not_allowed",
    message: "API key may not be used from this address",
    header: Some(("WWW-Authenticate", "Which scope is wanted (RFC 6750), where one is")),
};

const ERRORS: [SharedError<'static>; 11] = [
    SharedError {
        status: "400",
        name: "BadRequest",
        reason: "Bad Request",
        description: "The query, a header or the body cannot be read",
        code: "invalid_query",
        message: "`limit` must be between 1 and 200",
        header: None,
    },
    SharedError {
        status: "401",
        name: "Unauthorized",
        reason: "Unauthorized",
        description: "There is no credential, or not a good one",
        code: "unauthenticated",
        message: "No authentication provided",
        header: Some(("WWW-Authenticate", "What is wanted (RFC 6750)")),
    },
    FORBIDDEN,
    SharedError {
        status: "404",
        name: "NotFound",
        reason: "Not Found",
        description: "There is no such thing, or not for this credential",
        code: "not_found",
        message: "no such project",
        header: None,
    },
    SharedError {
        status: "409",
        name: "Conflict",
        reason: "Conflict",
        description: "A request of the same name is being carried out",
        code: "in_progress",
        message: "this request is being carried out: send it again later",
        header: None,
    },
    SharedError {
        status: "413",
        name: "PayloadTooLarge",
        reason: "Payload Too Large",
        description: "The body has more than 1 MiB",
        code: "too_large",
        message: "the body must not have more than 1048576 bytes",
        header: None,
    },
    SharedError {
        status: "415",
        name: "UnsupportedMediaType",
        reason: "Unsupported Media Type",
        description: "The body is not declared as JSON",
        code: "unsupported_media_type",
        message: "the body must be JSON: set `Content-Type: application/json`",
        header: None,
    },
    SharedError {
        status: "422",
        name: "UnprocessableEntity",
        reason: "Unprocessable Entity",
        description: "Fields have values that cannot be accepted; all of them are listed",
        code: "invalid_fields",
        message: "name is required",
        header: None,
    },
    SharedError {
        status: "429",
        name: "TooManyRequests",
        reason: "Too Many Requests",
        description: "The credential, or the address where there is no good one, asks too often",
        code: "too_many_requests",
        message: "too many requests, try again later",
        header: Some(("Retry-After", "Seconds after which to try again")),
    },
    SharedError {
        status: "500",
        name: "InternalError",
        reason: "Internal Server Error",
        description: "A fault of the server; its logs name the request",
        code: "internal",
        message: "internal error",
        header: None,
    },
    SharedError {
        status: "503",
        name: "Unavailable",
        reason: "Service Unavailable",
        description: "Something the server needs is not there now; try again",
        code: "unavailable",
        message: "not available at the moment, try again",
        header: Some(("Retry-After", "Seconds after which to try again")),
    },
];
