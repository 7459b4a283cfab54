//! A browser that goes to GitHub and comes back.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderMap, Request, header},
};
use reqwest::redirect::Policy;
use windlass_http::Peer;

use crate::{
    harness::{Answer, TestApi},
    people::HOST,
};

/// Its cookies, and where it is.
pub(crate) struct Browser<'a> {
    api: &'a TestApi,
    pub(crate) cookies: BTreeMap<String, String>,
    from: [u8; 4],
}

impl<'a> Browser<'a> {
    pub(crate) fn new(api: &'a TestApi) -> Self {
        Self { api, cookies: BTreeMap::new(), from: [203, 0, 113, 7] }
    }

    /// The same elsewhere.
    pub(crate) fn at(self, from: [u8; 4]) -> Self {
        Self { from, ..self }
    }

    /// The same with the session of somebody who has signed in.
    pub(crate) fn with(mut self, cookie: &str) -> Self {
        self.keep(cookie);
        self
    }

    /// Goes to an address of the server from one of its own pages.
    pub(crate) async fn visit(&mut self, path: &str) -> Answer {
        self.go(path, "application/json", Some("same-origin")).await
    }

    /// The same, where a page is wanted.
    pub(crate) async fn look_at(&mut self, path: &str) -> (Answer, String) {
        let mut request = self.request(path, "text/html,application/xhtml+xml;q=0.9");
        request.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
        let response = self.api.raw(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        self.keep_all(&headers);
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (Answer { status, headers, body: text.clone().into() }, text)
    }

    /// Goes to an address, coming from somewhere.
    pub(crate) async fn go(&mut self, path: &str, accept: &str, site: Option<&str>) -> Answer {
        let mut request = self.request(path, accept);
        if let Some(site) = site {
            request.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
        }
        let answer = self.api.answer(request).await;
        self.keep_all(&answer.headers);
        answer
    }

    /// Goes to GitHub by this path, has the person there asked, and gives the path with which
    /// GitHub sends it back.
    pub(crate) async fn ask_github(&mut self, path: &str) -> String {
        let sent = self.visit(path).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let github = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let address = sent.headers[header::LOCATION].to_str().unwrap();
        let asked = github.get(address).header("user-agent", "Mozilla/5.0").send().await.unwrap();
        let back = asked.headers()["location"].to_str().unwrap();
        back.strip_prefix("https://windlass.example.com").unwrap().to_owned()
    }

    /// Goes to GitHub and comes back.
    pub(crate) async fn sign_in(&mut self, path: &str) -> Answer {
        let back = self.ask_github(path).await;
        self.go(&back, "application/json", Some("cross-site")).await
    }

    /// The session that it has, as a request shows it.
    pub(crate) fn session(&self) -> Option<String> {
        let name = "__Host-windlass_session";
        self.cookies.get(name).map(|value| format!("{name}={value}"))
    }

    fn request(&self, path: &str, accept: &str) -> Request<Body> {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let request = Request::get(path)
            .header(header::HOST, HOST)
            .header(header::ACCEPT, accept)
            .header(header::COOKIE, cookies)
            .header(header::USER_AGENT, "Mozilla/5.0 (Test)")
            .extension(Peer((self.from, 1).into()));
        request.body(Body::empty()).unwrap()
    }

    fn keep_all(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
    }

    fn keep(&mut self, cookie: &str) {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        if value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
