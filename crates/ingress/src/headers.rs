//! Which headers pass, and which are set anew.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::External;

const KEEP_ALIVE: &str = "keep-alive";
const PROXY_CONNECTION: &str = "proxy-connection";
const FORWARDED_PREFIX: &str = "x-forwarded-";

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// What an app is told about a client, ready to be put into headers.
#[derive(Debug)]
pub(crate) struct Client {
    address: HeaderValue,
    /// The `for` and `proto` parameters of `Forwarded`.
    forwarded: String,
    proto: HeaderValue,
    port: HeaderValue,
}

impl Client {
    pub(crate) fn new(address: IpAddr, external: External) -> Self {
        let address = address.to_canonical();
        let proto = external.scheme.name();
        let forwarded = match address {
            IpAddr::V4(v4) => format!("for={v4};proto={proto}"),
            IpAddr::V6(v6) => format!("for=\"[{v6}]\";proto={proto}"),
        };
        Self {
            address: ascii(&address.to_string()),
            forwarded,
            proto: HeaderValue::from_static(proto),
            port: HeaderValue::from(external.port),
        }
    }
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("addresses and hosts are visible ASCII")
}

/// The protocol that a request asks to change to, if it does so correctly. HTTP/2 without TLS is
/// never passed on: it would hide further requests from the proxy.
pub(crate) fn requested_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let upgrade = headers.get(header::UPGRADE)?;
    let is_asked_for =
        tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"));
    let is_h2c = tokens(headers, &header::UPGRADE)
        .any(|protocol| protocol.get(..2).is_some_and(|h2| h2.eq_ignore_ascii_case("h2")));
    (is_asked_for && !is_h2c).then(|| upgrade.clone())
}

/// Makes a client's headers those that the app gets. Framing is left to whoever sends them.
pub(crate) fn prepare_request(headers: &mut HeaderMap, client: &Client, host: HeaderValue) {
    let takes_trailers =
        tokens(headers, &header::TE).any(|coding| coding.eq_ignore_ascii_case("trailers"));
    remove_named_by_connection(headers);
    remove_where(headers, |name| {
        is_hop_by_hop(name)
            || name == header::PROXY_AUTHORIZATION
            || name == header::EXPECT
            || is_about_the_client(name)
    });
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    join_cookies(headers);
    if let Ok(host) = host.to_str() {
        headers.insert(header::FORWARDED, ascii(&format!("{};host=\"{host}\"", client.forwarded)));
    }
    headers.insert(X_FORWARDED_FOR, client.address.clone());
    headers.insert(X_FORWARDED_HOST, host.clone());
    headers.insert(X_FORWARDED_PROTO, client.proto.clone());
    headers.insert(X_FORWARDED_PORT, client.port.clone());
    headers.insert(header::HOST, host);
}

/// Says how long a body is in one header, as whoever read the request has understood it.
pub(crate) fn restate_length(headers: &mut HeaderMap, length: Option<u64>) {
    if headers.remove(header::CONTENT_LENGTH).is_some()
        && let Some(length) = length
    {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// Makes an app's headers those that the client gets.
pub(crate) fn prepare_response(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove_where(headers, |name| is_hop_by_hop(name) || name == header::PROXY_AUTHENTICATE);
}

/// Says in a message that its connection changes to this protocol.
pub(crate) fn announce_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::UPGRADE, protocol);
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
}

/// RFC 9110, 7.6.1.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    name == header::CONNECTION
        || name == header::TRANSFER_ENCODING
        || name == header::UPGRADE
        || name == header::TE
        || name == KEEP_ALIVE
        || name == PROXY_CONNECTION
}

/// What only a proxy may say. Gateways like WSGI take `_` for `-`, so that counts as well.
fn is_about_the_client(name: &HeaderName) -> bool {
    if name.as_str().contains('_') {
        let dashed = name.as_str().replace('_', "-");
        return HeaderName::try_from(dashed).is_ok_and(|name| is_about_the_client(&name));
    }
    name == header::FORWARDED || name == "x-real-ip" || name.as_str().starts_with(FORWARDED_PREFIX)
}

/// HTTP/2 lets a client split what has to be one header in HTTP/1.1 (RFC 9113, 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let cookies = headers.get_all(header::COOKIE);
    if cookies.iter().nth(1).is_none() {
        return;
    }
    let cookies: Vec<&[u8]> = cookies.iter().map(HeaderValue::as_bytes).collect();
    match HeaderValue::from_bytes(&cookies.join(&b"; "[..])) {
        Ok(joined) => headers.insert(header::COOKIE, joined),
        // Values in which nothing is wrong have nothing wrong in between either.
        Err(_) => headers.remove(header::COOKIE),
    };
}

fn remove_named_by_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
}

fn remove_where(headers: &mut HeaderMap, is_removed: impl Fn(&HeaderName) -> bool) {
    let removed: Vec<HeaderName> =
        headers.keys().filter(|name| is_removed(name)).cloned().collect();
    for name in removed {
        headers.remove(name);
    }
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::{HeaderMap, HeaderName, HeaderValue, header};

    use super::{Client, prepare_request, prepare_response, requested_upgrade, restate_length};
    use crate::config::{External, Scheme};

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        headers
    }

    fn prepared(lines: &[(&str, &str)], client: &str) -> HeaderMap {
        let address: IpAddr = client.parse().unwrap();
        let client = Client::new(address, External { scheme: Scheme::Https, port: 443 });
        let mut headers = headers(lines);
        prepare_request(&mut headers, &client, HeaderValue::from_static("a.example:443"));
        headers
    }

    #[test]
    fn the_app_learns_who_asked_for_what() {
        let headers = prepared(&[("host", "a.example:443")], "192.0.2.7");
        assert_eq!(headers["forwarded"], "for=192.0.2.7;proto=https;host=\"a.example:443\"");
        assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
        assert_eq!(headers["x-forwarded-host"], "a.example:443");
        assert_eq!(headers["x-forwarded-proto"], "https");
        assert_eq!(headers["x-forwarded-port"], "443");
        assert_eq!(headers["host"], "a.example:443");
    }

    #[test]
    fn ipv6_is_quoted_and_a_mapped_ipv4_is_ipv4() {
        let headers = prepared(&[], "2001:db8::1");
        assert_eq!(
            headers["forwarded"],
            "for=\"[2001:db8::1]\";proto=https;host=\"a.example:443\""
        );
        assert_eq!(headers["x-forwarded-for"], "2001:db8::1");
        assert_eq!(prepared(&[], "::ffff:192.0.2.7")["x-forwarded-for"], "192.0.2.7");
    }

    #[test]
    fn what_a_client_says_about_itself_is_dropped() {
        let headers = prepared(
            &[
                ("forwarded", "for=1.1.1.1"),
                ("x-forwarded-for", "1.1.1.1"),
                ("x-forwarded-for", "2.2.2.2"),
                ("x_forwarded_for", "1.1.1.1"),
                ("x-forwarded_proto", "gopher"),
                ("x-forwarded-prefix", "/admin"),
                ("x-real-ip", "1.1.1.1"),
            ],
            "192.0.2.7",
        );
        assert_eq!(headers.get_all("x-forwarded-for").iter().count(), 1);
        assert!(headers.values().all(|value| {
            let text = value.to_str().unwrap();
            !["1.1.1.1", "2.2.2.2", "gopher", "/admin"].iter().any(|lie| text.contains(lie))
        }));
    }

    #[test]
    fn hop_by_hop_headers_end_here_and_so_do_those_that_connection_names() {
        let lines = [
            ("connection", "close, X-Secret"),
            ("connection", "host"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic eA=="),
            ("proxy-authenticate", "Basic"),
            ("transfer-encoding", "chunked"),
            ("te", "gzip"),
            ("upgrade", "websocket"),
            ("x-secret", "1"),
            ("x-kept", "1"),
        ];
        let request = prepared(&lines, "192.0.2.7");
        assert_eq!(request["host"], "a.example:443");
        assert_eq!(request["x-kept"], "1");
        for (name, _) in
            lines.iter().filter(|(name, _)| !["x-kept", "proxy-authenticate"].contains(name))
        {
            assert!(!request.contains_key(*name), "{name}");
        }
        let mut response = headers(&lines);
        prepare_response(&mut response);
        let mut left: Vec<&str> = response.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["proxy-authorization", "x-kept"]);
    }

    #[test]
    fn trailers_are_still_welcome_where_the_client_takes_them() {
        let headers = prepared(&[("te", "gzip, Trailers")], "192.0.2.7");
        assert_eq!(headers[header::TE], "trailers");
        assert_eq!(headers[header::CONNECTION], "te");
    }

    #[test]
    fn cookies_in_several_headers_become_one() {
        let headers = prepared(&[("cookie", "a=1"), ("cookie", "b=2; c=3")], "192.0.2.7");
        let cookies: Vec<_> = headers.get_all(header::COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3"]);
        assert!(!prepared(&[], "192.0.2.7").contains_key(header::COOKIE));
    }

    #[test]
    fn a_length_is_stated_once_or_not_at_all() {
        let restated = |lines: &[(&str, &str)], length| {
            let mut headers = headers(lines);
            restate_length(&mut headers, length);
            headers.get_all(header::CONTENT_LENGTH).iter().cloned().collect::<Vec<_>>()
        };
        let twice = [("content-length", "3"), ("content-length", "3")];
        assert_eq!(restated(&twice, Some(3)), ["3"]);
        assert_eq!(restated(&[("content-length", "")], None), [""; 0]);
        assert_eq!(restated(&[], Some(3)), [""; 0]);
    }

    #[test]
    fn an_upgrade_has_to_be_asked_for_in_both_headers_and_never_to_http2() {
        let asks = |lines: &[(&str, &str)]| requested_upgrade(&headers(lines)).is_some();
        assert!(asks(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]));
        assert!(!asks(&[("upgrade", "websocket")]));
        assert!(!asks(&[("connection", "upgrade")]));
        assert!(!asks(&[("connection", "upgrade, http2-settings"), ("upgrade", "h2c")]));
        assert!(!asks(&[("connection", "upgrade"), ("upgrade", "websocket, H2C")]));
    }
}
