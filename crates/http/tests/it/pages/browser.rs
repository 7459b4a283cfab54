//! What a browser does with pages, one step at a time.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};

use crate::{
    harness::TestApi,
    people::{HOST, with_body},
};

/// What browsers ask for when somebody goes somewhere.
const HTML: &str = "text/html,application/xhtml+xml;q=0.9";

/// A page, as a browser has it.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Page {
    /// Where it leads.
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.html);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// The cookie that the browser keeps from now on.
    #[track_caller]
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.headers[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}

pub(crate) async fn open(api: &TestApi, request: Request<Body>) -> Page {
    let response = api.raw(request).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Page { status, headers, html: String::from_utf8(bytes.to_vec()).unwrap() }
}

/// Follows a link, with this cookie.
pub(crate) async fn visit(api: &TestApi, cookie: &str, path: &str) -> Page {
    let request = Request::get(path)
        .header(header::HOST, HOST)
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT, HTML);
    open(api, with_body(request, None)).await
}

/// Sends a form from a page of a site, with this cookie.
pub(crate) async fn submit(
    api: &TestApi,
    cookie: &str,
    path: &str,
    site: &str,
    form: &str,
) -> Page {
    let request = Request::post(path)
        .header(header::HOST, HOST)
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT, HTML)
        .header("Sec-Fetch-Site", site)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()));
    open(api, request.unwrap()).await
}

/// What a form sends that is filled in like this.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(fields).finish()
}
