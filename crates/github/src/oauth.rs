//! GitHub's OAuth web flow.

use std::borrow::Cow;

use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, TokenResponse as _, TokenUrl,
    basic::{BasicClient, BasicErrorResponse},
    http::StatusCode,
    url::ParseError,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::IgnoredAny};
use windlass_auth::{Detour, IdentityServiceError};

use crate::{
    GithubOptions, GithubOptionsError,
    http::{Http, NoAnswer},
    unavailable,
};

/// What is asked for: who somebody is, and which of their e-mail addresses are verified.
const SCOPES: [&str; 2] = ["read:user", "user:email"];

/// As what this server is registered.
pub(crate) struct Registration(
    BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>,
);

/// GitHub does not know this server as it should.
#[derive(Debug, thiserror::Error)]
#[error("it answers `{0}`")]
struct Unaccepted(String);

impl Registration {
    pub(crate) fn new(options: GithubOptions) -> Result<Self, GithubOptionsError> {
        let authorize = AuthUrl::from_url(options.page("/login/oauth/authorize")?);
        let redeem = TokenUrl::from_url(options.page("/login/oauth/access_token")?);
        let secret = options.client_secret.expose_secret().to_owned();
        let client = BasicClient::new(ClientId::new(options.client_id))
            .set_client_secret(ClientSecret::new(secret))
            // As GitHub documents it.
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(authorize)
            .set_token_uri(redeem);
        Ok(Self(client))
    }

    /// Where a browser is sent.
    pub(crate) fn address(&self, detour: &Detour) -> Result<String, IdentityServiceError> {
        let state = detour.state.expose_secret().to_owned();
        let verifier = PkceCodeVerifier::new(detour.verifier.expose_secret().to_owned());
        let (address, _) = self
            .0
            .authorize_url(|| CsrfToken::new(state))
            .set_redirect_uri(Cow::Owned(back(detour)?))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .url();
        Ok(address.into())
    }

    /// Gives a code for an access token.
    pub(crate) fn redeem(
        &self,
        http: &Http,
        detour: &Detour,
        code: &SecretString,
    ) -> Result<AccessToken, IdentityServiceError> {
        let code = AuthorizationCode::new(code.expose_secret().to_owned());
        let verifier = PkceCodeVerifier::new(detour.verifier.expose_secret().to_owned());
        let redeemed = self
            .0
            .exchange_code(code)
            .set_redirect_uri(Cow::Owned(back(detour)?))
            .set_pkce_verifier(verifier)
            .request(&|request: HttpRequest| http.send(request).map(with_honest_status));
        Ok(redeemed.map_err(explain)?.access_token().clone())
    }
}

fn back(detour: &Detour) -> Result<RedirectUrl, IdentityServiceError> {
    let misconfigured = |err: ParseError| IdentityServiceError::Misconfigured(Box::new(err));
    RedirectUrl::new(detour.redirect_uri.clone()).map_err(misconfigured)
}

/// GitHub refuses with status 200 and `error` in the body; the standard (RFC 6749, section 5.2)
/// wants 400.
fn with_honest_status(mut response: HttpResponse) -> HttpResponse {
    #[derive(Deserialize)]
    struct Refused {
        #[serde(rename = "error")]
        _error: IgnoredAny,
    }

    let is_refused = serde_json::from_slice::<Refused>(response.body()).is_ok();
    if response.status() == StatusCode::OK && is_refused {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

fn explain(err: RequestTokenError<NoAnswer, BasicErrorResponse>) -> IdentityServiceError {
    match err {
        RequestTokenError::ServerResponse(refused) => match refused.error().as_ref() {
            "bad_verification_code" | "invalid_grant" => IdentityServiceError::BadCode,
            "unverified_user_email" => IdentityServiceError::Unverified,
            // `incorrect_client_credentials`, `redirect_uri_mismatch`, …
            other => {
                let code = other.chars().take(100).collect();
                IdentityServiceError::Misconfigured(Box::new(Unaccepted(code)))
            }
        },
        RequestTokenError::Request(err) => unavailable(err),
        // What came may be anything, a token among it: none of it goes into a log.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => unavailable(Senseless),
    }
}

/// It answers, but not as it should.
#[derive(Debug, thiserror::Error)]
#[error("the answer to a code makes no sense")]
struct Senseless;
