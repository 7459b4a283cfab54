//! What a client gets where no app answers: a page for people, JSON for programs.

use std::{borrow::Cow, fmt::Write as _};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// An answer of the proxy itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    message: Cow<'static, str>,
    advice: &'static str,
}

impl Page {
    pub(crate) fn unknown_host() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "unknown_host",
            title: "There is no app at this address",
            message: Cow::Borrowed("no app has this host name"),
            advice: "Check the spelling. The environment may have been destroyed, \
                     or its first deployment has not begun yet.",
        }
    }

    pub(crate) fn starting(message: String) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "app_starting",
            title: "The app is starting",
            message: Cow::Owned(message),
            advice: "This page tries again by itself.",
        }
    }

    pub(crate) fn failed(message: String) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            code: "app_failed",
            title: "The app has failed",
            message: Cow::Owned(message),
            advice: "If it is yours, its log says more. A new deployment starts it again.",
        }
    }

    pub(crate) fn stopped(message: String) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "app_stopped",
            title: "The app is stopped",
            message: Cow::Owned(message),
            advice: "If it is yours, start it again. Otherwise come back later.",
        }
    }

    pub(crate) fn paused(message: String) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "app_paused",
            title: "The app is paused",
            message: Cow::Owned(message),
            advice: "If it is yours, resume it, or deploy to it. Otherwise come back later.",
        }
    }

    pub(crate) fn waking(message: String) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "app_waking",
            title: "The app is waking up",
            message: Cow::Owned(message),
            advice: "This page tries again by itself.",
        }
    }

    pub(crate) fn unreachable() -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            code: "app_unreachable",
            title: "The app does not answer",
            message: Cow::Borrowed("the app does not accept connections"),
            advice: "It may have crashed and be about to start again. \
                     Try again in a moment; if it is yours, look into its log.",
        }
    }

    pub(crate) fn broken_response() -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            code: "app_broke_off",
            title: "The app broke off",
            message: Cow::Borrowed("the app ended the connection without a valid response"),
            advice: "Try again in a moment; if it is yours, look into its log.",
        }
    }

    pub(crate) fn timed_out() -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT,
            code: "app_timeout",
            title: "The app takes too long",
            message: Cow::Borrowed("the app did not respond in time"),
            advice: "Try again in a moment; if it is yours, look into its log.",
        }
    }

    pub(crate) fn invalid_host() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "invalid_host",
            title: "The request names no host",
            message: Cow::Borrowed("the request must name exactly one valid host"),
            advice: "Open the app by its address.",
        }
    }

    pub(crate) fn misdirected() -> Self {
        Self {
            status: StatusCode::MISDIRECTED_REQUEST,
            code: "misdirected_request",
            title: "This connection is another site's",
            message: Cow::Borrowed("the certificate of this connection is not for this host"),
            advice: "Open the address again: it needs a connection of its own.",
        }
    }

    pub(crate) fn invalid_body() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "invalid_body",
            title: "The request broke off",
            message: Cow::Borrowed("the body of the request is invalid or incomplete"),
            advice: "Send it again.",
        }
    }

    pub(crate) fn uri_too_long() -> Self {
        Self {
            status: StatusCode::URI_TOO_LONG,
            code: "uri_too_long",
            title: "The address is too long",
            message: Cow::Borrowed("the target of the request is too long"),
            advice: "Send what is long in the body of the request.",
        }
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            code: "method_not_allowed",
            title: "The method is not allowed",
            message: Cow::Borrowed("CONNECT and TRACE do not lead to apps"),
            advice: "Use another method.",
        }
    }

    /// The page as HTML where the client takes that, else as JSON.
    pub(crate) fn render(
        &self,
        accept: Option<&HeaderValue>,
        request_id: &HeaderValue,
    ) -> Response<Bytes> {
        let id = request_id.to_str().unwrap_or_default();
        let (content_type, body) = if accept.is_some_and(takes_html) {
            ("text/html; charset=utf-8", self.html(id))
        } else {
            ("application/json", self.json(id))
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
        );
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            let allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }

    fn json(&self, id: &str) -> String {
        let error = self.status.canonical_reason().unwrap_or_default();
        let (message, code) = (json_text(&self.message), self.code);
        let id = json_text(id);
        format!(
            "{{\"error\":\"{error}\",\"message\":{message},\"code\":\"{code}\",\"request_id\":{id}}}\n"
        )
    }

    fn html(&self, id: &str) -> String {
        let Self { status, title, advice, .. } = self;
        let (status, message, id) = (status.as_u16(), Escaped(&self.message), Escaped(id));
        let refresh = if matches!(self.code, "app_starting" | "app_waking") {
            "<meta http-equiv=\"refresh\" content=\"2\">"
        } else {
            ""
        };
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{refresh}\
             <title>{title}</title><style>{STYLE}</style></head><body><main>\
             <p class=\"status\">{status}</p><h1>{title}</h1>\
             <pre>{message}</pre><p>{advice}</p><footer>Request {id}</footer>\
             </main></body></html>\n"
        )
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5d6877;--paper:#f7f8fa;--line:#dde2e8;--mark:#c2410c}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#98a2b1;--paper:#14181f;--line:#2b323d;--mark:#fb923c}}\
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);\
font:1rem/1.55 system-ui,sans-serif}\
main{max-width:34rem;padding:2rem;box-sizing:border-box;width:100%}\
.status{margin:0;color:var(--mark);font-weight:600;letter-spacing:.08em}\
h1{margin:.25rem 0 1rem;font-size:1.6rem;line-height:1.25}\
pre{margin:0 0 1rem;padding:.75rem 1rem;border-left:3px solid var(--mark);background:var(--line);\
white-space:pre-wrap;overflow-wrap:anywhere;font:.9rem/1.5 ui-monospace,monospace}\
footer{margin-top:2rem;padding-top:.75rem;border-top:1px solid var(--line);color:var(--soft);font-size:.8rem;\
overflow-wrap:anywhere}";

pub(crate) fn takes_html(accept: &HeaderValue) -> bool {
    accept.to_str().is_ok_and(|accept| accept.to_ascii_lowercase().contains("text/html"))
}

/// Text with everything escaped that means something in HTML.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}

fn json_text(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::Page;

    fn rendered(page: &Page, accept: &'static str) -> (HeaderMap, String) {
        let accept = HeaderValue::from_static(accept);
        let response = page.render(Some(&accept), &HeaderValue::from_static("r1"));
        let (parts, body) = response.into_parts();
        (parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn programs_get_json() {
        let (headers, body) =
            rendered(&Page::failed("it said \"no\"\n\tand\\left\u{1}".to_owned()), "*/*");
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(
            body,
            "{\"error\":\"Bad Gateway\",\"message\":\"it said \\\"no\\\"\\n\\u0009and\\\\left\\u0001\",\
             \"code\":\"app_failed\",\"request_id\":\"r1\"}\n"
        );
    }

    #[test]
    fn browsers_get_a_page_in_which_nothing_of_an_app_is_markup() {
        let page = Page::failed("<script>alert('1' & \"2\")</script>".to_owned());
        let (headers, body) = rendered(&page, "text/html,application/xhtml+xml,*/*;q=0.8");
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(
            body.contains("&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;")
        );
        assert!(!body.contains("<script"));
        assert!(body.contains("Request r1"));
    }

    #[test]
    fn what_passes_soon_says_when_to_come_back() {
        let (headers, body) = rendered(&Page::starting(String::new()), "text/html");
        assert_eq!(headers[header::RETRY_AFTER], "1");
        assert!(body.contains("http-equiv=\"refresh\""));
        let (headers, body) = rendered(&Page::unknown_host(), "text/html");
        assert!(!headers.contains_key(header::RETRY_AFTER));
        assert!(!body.contains("http-equiv=\"refresh\""));
    }
}
