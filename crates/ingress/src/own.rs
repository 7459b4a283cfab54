//! What the proxy answers itself.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, Uri, header};

use crate::{
    config::HttpsRedirect,
    host::{HTTPS_PORT, RequestedHost},
    page::Page,
};

/// An answer that no app has given.
#[derive(Debug)]
pub(crate) enum OwnAnswer {
    /// Says why no app answers.
    Page(Page),
    /// Shows a certificate authority that this is the host it has been told of.
    KeyAuthorization(String),
    /// Tells where the same is to be had over TLS.
    Redirect(HeaderValue),
}

impl From<Page> for OwnAnswer {
    fn from(page: Page) -> Self {
        Self::Page(page)
    }
}

impl OwnAnswer {
    /// Leads to the same host and path where they are served with TLS.
    pub(crate) fn redirect(host: &RequestedHost, https: HttpsRedirect, uri: &Uri) -> Self {
        let host = host.without_port();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // `OPTIONS *` is about no path, and `http://host?query` has none in front of its query.
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = path.trim_start_matches('*');
        let location = match https.port {
            HTTPS_PORT => format!("https://{host}{slash}{path}"),
            port => format!("https://{host}:{port}{slash}{path}"),
        };
        HeaderValue::try_from(location).map_or_else(|_| Page::invalid_host().into(), Self::Redirect)
    }

    pub(crate) fn render(
        self,
        accept: Option<&HeaderValue>,
        request_id: &HeaderValue,
    ) -> Response<Bytes> {
        match self {
            Self::Page(page) => page.render(accept, request_id),
            Self::KeyAuthorization(text) => {
                let mut response = Response::new(Bytes::from(text));
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
            Self::Redirect(location) => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
                response.headers_mut().insert(header::LOCATION, location);
                response
            }
        }
    }
}
