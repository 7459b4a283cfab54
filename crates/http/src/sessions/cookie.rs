//! What browsers keep for us.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, header, uri::Authority};
use chrono::TimeDelta;
use windlass_control::SignedIn;

/// Browsers take a cookie of such a name from this very host only, for all of its paths, and over
/// TLS.
pub(crate) const SECURE: &str = "__Host-windlass_session";

/// The session of somebody who has signed in.
pub(crate) const SESSION: Cookie = Cookie { secure: SECURE, plain: "windlass_session" };
/// What a browser keeps while it is away to GitHub.
pub(crate) const GITHUB: Cookie =
    Cookie { secure: "__Host-windlass_github", plain: "windlass_github" };

/// Something that a browser keeps for us.
#[derive(Clone, Copy)]
pub(crate) struct Cookie {
    secure: &'static str,
    /// The same where there is no TLS.
    plain: &'static str,
}

impl Cookie {
    /// What a request presents.
    pub(crate) fn presented(self, headers: &HeaderMap) -> Option<&str> {
        let Self { secure, plain } = self;
        let names = if is_loopback(headers) { &[secure, plain][..] } else { &[secure] };
        names.iter().find_map(|name| find(headers, name))
    }

    /// Has the browser keep something for so long.
    pub(crate) fn keep(
        self,
        headers: &HeaderMap,
        value: &str,
        life: TimeDelta,
    ) -> Option<HeaderValue> {
        let Self { secure, plain } = self;
        let (name, attribute) =
            if is_loopback(headers) { (plain, "") } else { (secure, "; Secure") };
        let life = life.num_seconds();
        let text =
            format!("{name}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Lax{attribute}");
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Has the browser forget it.
    pub(crate) fn forget(self, headers: &HeaderMap) -> Option<HeaderValue> {
        self.keep(headers, "", TimeDelta::zero())
    }
}

/// The session that a request presents in its `Cookie` headers, as it stands there: nobody has
/// looked yet whether it is one. The cookie without `__Host-` in its name counts on a loopback host
/// only; an empty one is none.
#[must_use]
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    SESSION.presented(headers)
}

/// Has the browser keep a session until it ends.
pub(crate) fn keep(headers: &HeaderMap, signed_in: &SignedIn) -> Option<HeaderValue> {
    let life = signed_in.session.expires_at - signed_in.session.created_at;
    SESSION.keep(headers, signed_in.cookie.expose(), life)
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let mut found = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(found, value)| (found == name).then_some(value));
    found.next().filter(|value| !value.is_empty())
}

/// Whether the browser is on the machine of the server and asks without TLS: only there it is told
/// to keep a session that it would send in the clear. Whoever stands between a browser elsewhere and
/// the server cannot make the browser say so.
fn is_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(authority) = host.and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{SESSION, is_loopback};

    fn headers(host: &str, cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        headers
    }

    #[test]
    fn only_a_browser_on_this_machine_keeps_a_session_without_tls() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080"] {
            assert!(is_loopback(&headers(host, &[])), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "evil-localhost",
            "10.0.0.1",
            "[2001:db8::1]",
            "",
        ] {
            assert!(!is_loopback(&headers(host, &[])), "{host}");
        }
        let plain = SESSION.forget(&headers("localhost:8080", &[])).unwrap();
        let expected = "windlass_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax";
        assert_eq!(plain, expected);
        let secure = SESSION.forget(&headers("example.com", &[])).unwrap();
        let expected =
            "__Host-windlass_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(secure, expected);
    }

    #[test]
    fn a_session_is_found_among_other_cookies() {
        let found =
            |host, cookies: &[&str]| SESSION.presented(&headers(host, cookies)).map(str::to_owned);
        let both = "a=b; windlass_session=plain;__Host-windlass_session=secure; c";
        assert_eq!(found("example.com", &["x", both]).as_deref(), Some("secure"));
        assert_eq!(found("localhost", &["windlass_session=plain"]).as_deref(), Some("plain"));
        assert_eq!(found("example.com", &["windlass_session=plain"]), None, "anybody may set it");
        assert_eq!(found("example.com", &["__Host-windlass_session="]), None);
        assert_eq!(found("example.com", &["not__Host-windlass_session=x"]), None);
    }
}
