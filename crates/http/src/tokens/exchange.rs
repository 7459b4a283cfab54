//! `POST /api/auth/login/exchange`

use std::fmt;

use axum::{Extension, Json, extract::State};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::{CodeVerifier, LoopbackRedirect};
use windlass_control::{ExchangeLoginCode, Occasion};

use super::view::{CreatedTokenView, TokenView};
use crate::{
    app::Shared,
    extract::Body,
    fields::Fields,
    problem::{ErrorBody, Problem},
};

/// What a program presents that a person has let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExchangeLoginCode)]
pub(crate) struct ExchangeBody {
    /// The code that came to the program's own address.
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "wlc_0lE8WWQJzjlRz8HDN5nN5vIOxkWLkpS4Xc2sWOlwwyI")]
    code: SecretString,
    /// Of what the program had shown the SHA-256 hash.
    #[schema(value_type = String, min_length = 43, max_length = 128, pattern = "^[A-Za-z0-9._~-]+$", example = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")]
    code_verifier: SecretString,
    /// The program's own address, as it had said it.
    #[schema(max_length = 300, example = "http://127.0.0.1:49152/callback")]
    redirect_uri: String,
}

/// Get the token of somebody who has allowed it.
///
/// The end of what `windlass login` does (RFC 8252, with PKCE after RFC 7636): the program sends
/// a browser to `/authorize?redirect_uri=…&state=…&code_challenge=…&code_challenge_method=S256` and
/// `&device=…`, where a person signs in and allows it. The browser comes to `redirect_uri`, an
/// address on its own machine, with a `code` and the `state`. The code is good for a minute, for
/// once, and for the program that knows the verifier. The token has all that the person may do, and
/// is listed among the others.
#[utoipa::path(
    post,
    path = "/api/auth/login/exchange",
    tag = "auth",
    request_body = ExchangeBody,
    responses(
        (status = 200, description = "The token", body = CreatedTokenView),
        (status = 403, description = "The code does not work (any more), or not for this program", body = ErrorBody),
    ),
)]
pub(crate) async fn exchange_login_code(
    State(app): State<Shared>,
    Extension(occasion): Extension<Occasion>,
    Body(body): Body<ExchangeBody>,
) -> Result<Json<CreatedTokenView>, Problem> {
    let exchange = body.parse()?;
    let minted = windlass_control::exchange_login_code(&app.control, &occasion, exchange).await?;
    Ok(Json(CreatedTokenView {
        token: minted.token.expose().to_owned(),
        record: TokenView::new(minted.record, app.clock.now()),
    }))
}

impl ExchangeBody {
    fn parse(self) -> Result<ExchangeLoginCode, Problem> {
        let mut fields = Fields::default();
        let verifier = fields.check("code_verifier", CodeVerifier::parse(self.code_verifier));
        let redirect = fields.parse::<LoopbackRedirect>("redirect_uri", &self.redirect_uri);
        let exchange = verifier.zip(redirect).map(|(verifier, redirect)| ExchangeLoginCode {
            code: self.code.expose_secret().to_owned(),
            verifier,
            redirect,
        });
        fields.finish(exchange)
    }
}

impl fmt::Debug for ExchangeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExchangeBody(…)")
    }
}
