//! Talks to one server with one credential.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{HeaderValue, Method, Request, Response, header},
    tls::{RootCerts, TlsConfig},
};

use crate::failure::{Failure, Result};

mod address;
mod answer;
mod events;
mod refusal;
mod server;

pub(crate) use self::{
    address::Address,
    answer::Answer,
    events::{Event, LogLine, Stream},
    refusal::Refusal,
    server::Server,
};

/// How long to look for the server.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the server may be silent: longer than it holds an answer, and than the pause between
/// two signs of life of a stream.
const SILENCE: Duration = Duration::from_secs(75);
/// Most items that the server puts on a page.
const PAGE: &str = "200";

/// Talks to one server with one credential.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    server: Server,
    token: Option<SecretString>,
}

/// Nothing, where the API answers without a body.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Nothing {}

impl Client {
    pub(crate) fn new(server: Server, token: SecretString) -> Self {
        Self::with(server, Some(token))
    }

    /// For what nobody needs a credential for.
    pub(crate) fn nobodys(server: Server) -> Self {
        Self::with(server, None)
    }

    fn with(server: Server, token: Option<SecretString>) -> Self {
        // The machine's own certificates: a team may have its own authority.
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            // The API has none, and the credential is for this server alone.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(SILENCE))
            .build()
            .into();
        Self { agent, server, token }
    }

    /// The server it talks to.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, address: &Address) -> Result<Answer<T>> {
        self.read(self.call(Method::GET, address, None)?)
    }

    /// Asks for something to be done that needs no more words.
    pub(crate) fn order<T: DeserializeOwned>(&self, address: &Address) -> Result<Answer<T>> {
        self.read(self.call(Method::POST, address, None)?)
    }

    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        address: &Address,
        body: &impl Serialize,
    ) -> Result<Answer<T>> {
        self.read(self.call(Method::POST, address, Some(write(body)?))?)
    }

    pub(crate) fn put<T: DeserializeOwned>(
        &self,
        address: &Address,
        body: &impl Serialize,
    ) -> Result<Answer<T>> {
        self.read(self.call(Method::PUT, address, Some(write(body)?))?)
    }

    pub(crate) fn patch<T: DeserializeOwned>(
        &self,
        address: &Address,
        body: &impl Serialize,
    ) -> Result<Answer<T>> {
        self.read(self.call(Method::PATCH, address, Some(write(body)?))?)
    }

    pub(crate) fn delete<T: DeserializeOwned>(&self, address: &Address) -> Result<Answer<T>> {
        self.read(self.call(Method::DELETE, address, None)?)
    }

    /// A whole list, however many pages it has.
    pub(crate) fn list<T: DeserializeOwned>(&self, address: &Address) -> Result<Vec<Answer<T>>> {
        self.first(address, usize::MAX)
    }

    /// The first so many of a list.
    pub(crate) fn first<T: DeserializeOwned>(
        &self,
        address: &Address,
        most: usize,
    ) -> Result<Vec<Answer<T>>> {
        let mut items = Vec::new();
        let mut page = address.clone().with("limit", PAGE);
        loop {
            let response = self.call(Method::GET, &page, None)?;
            let cursor = text_of(response.headers().get("x-next-cursor"));
            let values: Answer<Vec<Value>> = self.read(response)?;
            for value in values.value.into_iter().take(most - items.len()) {
                items.push(Answer::new(value).map_err(|err| self.garbled(err))?);
            }
            let Some(cursor) = cursor.filter(|_| items.len() < most) else { return Ok(items) };
            page = address.clone().with("limit", PAGE).with("cursor", &cursor);
        }
    }

    /// A log as a stream of events, from after line `after` on.
    pub(crate) fn stream(&self, address: &Address, after: u64) -> Result<Stream> {
        let request = self
            .request(Method::GET, address)
            .header(header::ACCEPT, "text/event-stream")
            .header("last-event-id", after);
        let response = self.send(request.body(()))?;
        Ok(Stream::new(response.into_body().into_reader()))
    }

    fn call(
        &self,
        method: Method,
        address: &Address,
        body: Option<String>,
    ) -> Result<Response<Body>> {
        let request = self.request(method, address).header(header::ACCEPT, "application/json");
        match body {
            Some(body) => {
                self.send(request.header(header::CONTENT_TYPE, "application/json").body(body))
            }
            None => self.send(request.body(())),
        }
    }

    fn request(&self, method: Method, address: &Address) -> ureq::http::request::Builder {
        let mut request =
            Request::builder().method(method).uri(format!("{}{address}", self.server));
        if let Some(headers) = request.headers_mut()
            && let Some(token) = &self.token
            && let Ok(mut credential) =
                HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
        {
            credential.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, credential);
        }
        request
    }

    fn send(
        &self,
        request: Result<Request<impl ureq::AsSendBody>, ureq::http::Error>,
    ) -> Result<Response<Body>> {
        let sent = request.map_err(ureq::Error::from).and_then(|request| self.agent.run(request));
        let mut response = sent.map_err(|err| self.unreachable(err))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_string().unwrap_or_default();
        Err(Box::new(Refusal::new(status, &body)).into())
    }

    fn read<T: DeserializeOwned>(&self, mut response: Response<Body>) -> Result<Answer<T>> {
        let text = response.body_mut().read_to_string().map_err(|err| self.unreachable(err))?;
        let text = if text.is_empty() { "{}" } else { &text };
        let json = serde_json::from_str(text).map_err(|err| self.garbled(err))?;
        Answer::new(json).map_err(|err| self.garbled(err))
    }

    fn unreachable(&self, source: ureq::Error) -> Failure {
        Failure::Unreachable { server: self.server.to_string(), source }
    }

    fn garbled(&self, source: serde_json::Error) -> Failure {
        Failure::Garbled { server: self.server.to_string(), source }
    }
}

fn write(body: &impl Serialize) -> Result<String> {
    serde_json::to_string(body).map_err(|err| Failure::Usage(err.to_string()))
}

fn text_of(value: Option<&HeaderValue>) -> Option<String> {
    Some(value?.to_str().ok()?.to_owned())
}
