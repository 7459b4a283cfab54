//! What a program asks for, as it stands in the address to which it sends a browser.

use chrono::TimeDelta;
use form_urlencoded::Serializer;
use serde::Deserialize;
use windlass_auth::{CodeChallenge, LoopbackRedirect, NewLoginCode, OneTimeSecret};
use windlass_domain::Name;

use super::super::{
    Next,
    form::{self, Form},
};

/// Longer than any state that a program finds its request by.
const MOST_OF_STATE: usize = 200;

/// The parameters, whatever is in them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Asked {
    redirect_uri: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
    /// The machine on which the program runs, by its name.
    device: String,
    /// How long its token is to last.
    expires_in_seconds: String,
}

/// A request that can be answered.
pub(super) struct Request {
    redirect: LoopbackRedirect,
    state: String,
    challenge: CodeChallenge,
    device: String,
    label: Name,
    life: Option<TimeDelta>,
}

impl Asked {
    /// What a form of ours has sent along.
    pub(super) fn of(form: &Form) -> Self {
        Self {
            redirect_uri: form.text("redirect_uri"),
            state: form.text("state"),
            code_challenge: form.text("code_challenge"),
            code_challenge_method: form.text("code_challenge_method"),
            device: form.text("device"),
            expires_in_seconds: form.text("expires_in_seconds"),
        }
    }
}

impl Request {
    /// Nothing where anything is missing or wrong: then nobody can be told but the person, since
    /// nobody knows who has asked.
    pub(super) fn parse(asked: Asked) -> Option<Self> {
        let Asked {
            redirect_uri,
            state,
            code_challenge,
            code_challenge_method,
            device,
            expires_in_seconds,
        } = asked;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_state = (1..=MOST_OF_STATE).contains(&state.len()) && state.bytes().all(is_plain);
        if !is_state || code_challenge_method != "S256" {
            return None;
        }
        let life = match expires_in_seconds.as_str() {
            "" => None,
            seconds => Some(life(seconds)?),
        };
        Some(Self {
            redirect: redirect_uri.parse().ok()?,
            challenge: code_challenge.parse().ok()?,
            label: format!("windlass on {device}").parse().ok()?,
            state,
            device,
            life,
        })
    }

    /// How the program and its token are called.
    pub(super) fn label(&self) -> &Name {
        &self.label
    }

    /// How long its token is to last.
    pub(super) fn life(&self) -> TimeDelta {
        self.life.unwrap_or(NewLoginCode::TOKEN_LIFE)
    }

    /// Where the program listens, without the path.
    pub(super) fn origin(&self) -> String {
        self.redirect.origin()
    }

    /// The code that is to be made for it.
    pub(super) fn code(&self) -> NewLoginCode {
        NewLoginCode {
            challenge: self.challenge.clone(),
            redirect: self.redirect.clone(),
            label: self.label.clone(),
            life: self.life(),
        }
    }

    /// The page that asks for it, to come back to.
    pub(super) fn next(&self) -> Next {
        let mut query = Serializer::new(String::new());
        let query = query.extend_pairs(self.fields()).finish();
        Next::parse(&format!("/authorize?{query}"))
    }

    /// The same, to go along with a form.
    pub(super) fn hidden(&self) -> String {
        self.fields().iter().map(|(name, value)| form::hidden(name, value)).collect()
    }

    /// Where the browser goes when the program may have its token.
    pub(super) fn allowed(&self, code: &OneTimeSecret) -> String {
        self.answer("code", code.expose())
    }

    /// Where it goes when it may not (RFC 6749, section 4.1.2.1).
    pub(super) fn denied(&self) -> String {
        self.answer("error", "access_denied")
    }

    fn answer(&self, name: &str, value: &str) -> String {
        let Self { redirect, state, .. } = self;
        let mut query = Serializer::new(String::new());
        let query = query.append_pair(name, value).append_pair("state", state).finish();
        format!("{redirect}?{query}")
    }

    fn fields(&self) -> [(&'static str, String); 6] {
        let seconds = self.life.map(|life| life.num_seconds().to_string());
        [
            ("redirect_uri", self.redirect.to_string()),
            ("state", self.state.clone()),
            ("code_challenge", self.challenge.to_string()),
            ("code_challenge_method", "S256".to_owned()),
            ("device", self.device.clone()),
            ("expires_in_seconds", seconds.unwrap_or_default()),
        ]
    }
}

fn life(seconds: &str) -> Option<TimeDelta> {
    let life = TimeDelta::try_seconds(seconds.parse().ok().filter(|seconds| 0 < *seconds)?)?;
    (life <= NewLoginCode::MAX_TOKEN_LIFE).then_some(life)
}
