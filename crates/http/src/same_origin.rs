//! Whether a browser asks for one of our own pages, or for somebody else's.

use axum::http::{HeaderMap, Method, header};

/// What browsers say about where a request comes from; pages cannot make them say anything else.
const FETCH_SITE: &str = "sec-fetch-site";

/// Whether a request has been caused by one of our own pages.
///
/// The same *site* is not enough: the apps that people deploy are often served under the same
/// domain.
pub(crate) fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    match (text(headers, FETCH_SITE), text(headers, header::ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => is_own_origin(origin, headers, public_url),
        (None, None) => false,
    }
}

/// Whether a request has been caused by somebody else's page. One that no browser makes has not.
pub(crate) fn is_foreign(headers: &HeaderMap, public_url: &str) -> bool {
    let is_by_browser = headers.contains_key(FETCH_SITE) || headers.contains_key(header::ORIGIN);
    is_by_browser && !is_own(headers, public_url)
}

/// Whether a request may change something.
pub(crate) fn is_unsafe(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_own_origin(origin: &str, headers: &HeaderMap, public_url: &str) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    let is_host = authority.is_some() && authority == text(headers, header::HOST.as_str());
    let is_public = public_url.trim_end_matches('/') == origin;
    is_host || is_public
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // Said twice, it was not said by a browser.
    let mut values = headers.get_all(name).into_iter();
    let (value, second) = (values.next()?, values.next());
    if second.is_some() { Some("") } else { Some(value.to_str().unwrap_or_default()) }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{is_foreign, is_own};

    const PUBLIC: &str = "https://windlass.example.com/";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn a_request_is_our_own_where_the_browser_says_so() {
        let host = ("host", "10.0.0.7:8080");
        for (pairs, expected) in [
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (vec![host, ("origin", "http://10.0.0.7:8080")], true),
            (vec![host, ("origin", "https://windlass.example.com")], true),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "none")], false),
            (
                vec![host, ("sec-fetch-site", "same-site"), ("origin", "http://10.0.0.7:8080")],
                false,
            ),
            (vec![host, ("origin", "http://10.0.0.7")], false),
            (vec![host, ("origin", "https://shop.windlass.example.com")], false),
            (vec![host, ("origin", "https://windlass.example.com.evil.example")], false),
            (vec![host, ("origin", "null")], false),
            (vec![("origin", "null")], false),
            (
                vec![host, ("origin", "http://10.0.0.7:8080"), ("origin", "http://evil.example")],
                false,
            ),
        ] {
            let headers = headers(&pairs);
            assert_eq!(is_own(&headers, PUBLIC), expected, "{pairs:?}");
            assert_eq!(is_foreign(&headers, PUBLIC), !expected, "{pairs:?}");
        }
        let by_no_browser = headers(&[host]);
        assert!(!is_own(&by_no_browser, PUBLIC) && !is_foreign(&by_no_browser, PUBLIC));
    }
}
