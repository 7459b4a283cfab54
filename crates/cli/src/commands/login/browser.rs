//! Logging in with a browser: whoever has signed in there lets this program have a token of theirs
//! (RFC 8252, with PKCE after RFC 7636).

use std::{fmt::Write as _, time::Duration};

use form_urlencoded::Serializer;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use windlass_auth::CodeVerifier;
use windlass_domain::{Entropy as _, OsEntropy, is_unprintable};

use super::listener::{Arrival, Listener};
use crate::{
    client::{Address, Answer, Client, Server},
    failure::{Failure, Result},
    output,
};

/// Most characters of this machine's name that are shown to whoever is asked.
const MOST_OF_NAME: usize = 60;

/// How somebody wants to log in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// Whether to open the browser.
    pub(super) opens_browser: bool,
    /// How many seconds the token is to last.
    pub(super) life: Option<u64>,
    /// How long to wait for them.
    pub(super) patience: Duration,
}

/// The token of whoever has allowed it.
#[derive(Debug, Deserialize)]
struct Granted {
    token: SecretString,
}

/// Sends somebody to the server's page, and waits until they come back with a token.
pub(super) fn token(server: &Server, wish: Wish) -> Result<SecretString> {
    let listener = Listener::open()?;
    let redirect = listener.redirect().clone();
    let verifier = CodeVerifier::generate(&OsEntropy);
    let state = random();
    let query = Serializer::new(String::new())
        .append_pair("redirect_uri", &redirect.to_string())
        .append_pair("state", &state)
        .append_pair("code_challenge", &verifier.challenge().to_string())
        .append_pair("code_challenge_method", "S256")
        .append_pair("device", &this_machine())
        .extend_pairs(wish.life.map(|seconds| ("expires_in_seconds", seconds.to_string())))
        .finish();
    let url = format!("{server}/authorize?{query}");
    output::note(format_args!("Allow it in a browser on this machine:\n\n  {url}\n"));
    if wish.opens_browser
        && let Err(err) = ::open::that_detached(&url)
    {
        output::note(format_args!("no browser could be opened ({err}): do it yourself"));
    }
    let code = match listener.wait(&state, wish.patience)? {
        Arrival::Code(code) => code,
        Arrival::Denied(why) if why == "access_denied" => {
            return Err(Failure::Failed("it was denied in the browser".to_owned()));
        }
        Arrival::Denied(why) => {
            return Err(Failure::Failed(format!("the server has not allowed it: {why}")));
        }
    };
    let body = json!({
        "code": code.expose_secret(),
        "code_verifier": verifier.expose(),
        "redirect_uri": redirect.to_string(),
    });
    let address = Address::of(["auth", "login", "exchange"]);
    let granted: Answer<Granted> = Client::nobodys(server.clone()).post(&address, &body)?;
    Ok(granted.value.token)
}

/// By what the browser is known when it comes back.
fn random() -> String {
    let mut bytes = [0; 32];
    OsEntropy.fill(&mut bytes);
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How this machine is called.
fn this_machine() -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    let name: String = name.chars().filter(|c| !is_unprintable(*c)).take(MOST_OF_NAME).collect();
    let name = name.trim();
    if name.is_empty() { "a machine without a name".to_owned() } else { name.to_owned() }
}
