//! Where a request comes from: the other end of its connection, or what a trusted proxy says.

mod forwarded;

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::Request,
    http::{Extensions, HeaderMap, HeaderName, header},
};
use windlass_auth::Network;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of a request's connection; whoever serves the router puts it into the request's
/// extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The proxies that may say where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies {
    /// Where they are. Nobody else is believed.
    pub networks: Vec<Network>,
    /// In which header they say it.
    pub header: ForwardedHeader,
}

/// The header in which proxies name whom they speak for.
///
/// There is one, by configuration: a proxy that writes one of them passes the other on as it came
/// from outside, where anybody can write anything into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses, separated by commas.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Where a request comes from. It is with every request; `None` where that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(Option<IpAddr>);

impl ClientAddress {
    /// What was found out about a request.
    pub(crate) fn of(extensions: &Extensions) -> Option<IpAddr> {
        extensions.get::<Self>().and_then(|Self(address)| *address)
    }
}

impl TrustedProxies {
    /// Finds out where a request comes from, and leaves it with the request.
    pub(crate) fn note_client(&self, request: &mut Request) {
        let peer = request.extensions().get::<Peer>().map(|Peer(peer)| peer.ip());
        let client = peer.and_then(|peer| self.client(peer, request.headers()));
        request.extensions_mut().insert(ClientAddress(client));
    }

    /// Walks from the connection towards the client for as long as proxies are to be trusted:
    /// whom the last of them names is the client. `None` where it names nobody legibly.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        // An IPv4 client of a socket for both families is an IPv4 client.
        let mut nearest = peer.to_canonical();
        if !self.trust(nearest) {
            return Some(nearest);
        }
        let header = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        // Each proxy adds to the end.
        for line in headers.get_all(header).into_iter().rev() {
            let line = line.to_str().ok()?;
            let hops = match self.header {
                ForwardedHeader::XForwardedFor => forwarded::addresses(line),
                ForwardedHeader::Forwarded => forwarded::nodes(line)?,
            };
            for hop in hops.into_iter().rev() {
                nearest = hop?;
                if !self.trust(nearest) {
                    return Some(nearest);
                }
            }
        }
        Some(nearest)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{ForwardedHeader, TrustedProxies};

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    fn proxies(header: ForwardedHeader) -> TrustedProxies {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|text| text.parse().unwrap());
        TrustedProxies { networks: networks.into(), header }
    }

    fn client(
        header: ForwardedHeader,
        peer: &str,
        lines: &[(&'static str, &str)],
    ) -> Option<IpAddr> {
        proxies(header).client(peer.parse().unwrap(), &headers(lines))
    }

    /// What an address that is not known is shown as.
    const UNKNOWN: &str = "unknown";

    /// What `X-Forwarded-For` from a trusted proxy comes to.
    fn by_list(lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        client(ForwardedHeader::XForwardedFor, "10.0.0.1", &lines)
            .map_or(UNKNOWN.to_owned(), |found| found.to_string())
    }

    /// What `Forwarded` from a trusted proxy comes to.
    fn by_nodes(lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        client(ForwardedHeader::Forwarded, "10.0.0.1", &lines)
            .map_or(UNKNOWN.to_owned(), |found| found.to_string())
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        let lies = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
        for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
            for peer in ["203.0.113.7", "2001:db8:2::1", "11.0.0.1"] {
                assert_eq!(client(header, peer, &lies), Some(peer.parse().unwrap()));
            }
            let nobody = TrustedProxies { networks: Vec::new(), header };
            let peer = "10.0.0.1".parse().unwrap();
            assert_eq!(nobody.client(peer, &headers(&lies)), Some(peer));
        }
    }

    #[test]
    fn only_the_configured_header_is_believed() {
        let (list, nodes) = (("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=203.0.113.7"));
        let by = |header| client(header, "10.0.0.1", &[list, nodes]).unwrap().to_string();
        assert_eq!(by(ForwardedHeader::XForwardedFor), "192.0.2.1");
        assert_eq!(by(ForwardedHeader::Forwarded), "203.0.113.7");
        let none = client(ForwardedHeader::XForwardedFor, "10.0.0.1", &[nodes]);
        assert_eq!(none, Some("10.0.0.1".parse().unwrap()), "the proxy speaks for itself");
    }

    #[test]
    fn the_client_is_whom_the_last_trusted_proxy_names() {
        assert_eq!(by_list(&["203.0.113.7"]), "203.0.113.7");
        assert_eq!(by_list(&["192.0.2.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(by_list(&["192.0.2.1, 203.0.113.7, 10.9.9.9"]), "203.0.113.7");
        assert_eq!(by_list(&["192.0.2.1", "203.0.113.7", "10.9.9.9,10.8.8.8"]), "203.0.113.7");
        assert_eq!(by_list(&["10.0.0.3, 10.0.0.2"]), "10.0.0.3", "a client inside");
        assert_eq!(by_list(&["192.0.2.1, 10.0.0.2", ""]), "192.0.2.1");

        assert_eq!(by_nodes(&["for=192.0.2.1, for=203.0.113.7;proto=https"]), "203.0.113.7");
        assert_eq!(
            by_nodes(&["for=192.0.2.1", "by=10.0.0.1;For=203.0.113.7", "for=10.0.0.2"]),
            "203.0.113.7"
        );
    }

    #[test]
    fn addresses_come_with_ports_and_brackets() {
        for text in ["2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:4711"] {
            assert_eq!(by_list(&[text]), "2001:db8::7", "{text}");
            assert_eq!(by_nodes(&[&format!("for=\"{text}\"")]), "2001:db8::7", "{text}");
        }
        for text in ["203.0.113.7", "203.0.113.7:80", "::ffff:203.0.113.7"] {
            assert_eq!(by_list(&[text]), "203.0.113.7", "{text}");
            assert_eq!(by_nodes(&[&format!("for=\"{text}\"")]), "203.0.113.7", "{text}");
        }
        // IPv4 in IPv6 does not slip past the list of proxies.
        assert_eq!(by_list(&["203.0.113.7, ::ffff:10.0.0.2"]), "203.0.113.7");
        let peer = client(
            ForwardedHeader::XForwardedFor,
            "::ffff:10.0.0.1",
            &[("x-forwarded-for", "203.0.113.7")],
        );
        assert_eq!(peer, Some("203.0.113.7".parse().unwrap()));
    }

    #[test]
    fn a_proxy_that_names_nobody_leaves_the_client_unknown() {
        for text in [
            "unknown",
            "_hidden",
            "localhost",
            "203.0.113.7;",
            "203.0.113",
            "203.0.113.7 10.0.0.2",
            "for=203.0.113.7",
            "\"203.0.113.7\"",
            "203.0.113.7:http",
            "[203.0.113.7",
            "caf\u{e9}",
            "2001:db8::7%eth0",
            "203.0.113.07",
        ] {
            assert_eq!(by_list(&["192.0.2.1", text]), UNKNOWN, "{text}");
        }
        for text in [
            "for=unknown",
            "for=_hidden",
            "proto=https",
            "for",
            "for=",
            "=203.0.113.7",
            "for=203.0.113.7;for=192.0.2.1",
            "203.0.113.7",
            "for=\"203.0.113.7",
            "for=203.0.113.7\"",
            "for=\"203.0.113.7\"x",
            "for=a\"203.0.113.7\"",
            "for=\"\\",
        ] {
            assert_eq!(by_nodes(&["for=192.0.2.1", text]), UNKNOWN, "{text}");
        }
    }

    #[test]
    fn what_comes_from_outside_cannot_hide_what_a_proxy_adds() {
        // Beyond the first hop that is not trusted nothing is read.
        assert_eq!(by_list(&["nonsense, \u{e9}", "::::, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(by_nodes(&["for=\"", "for=203.0.113.7"]), "203.0.113.7");
        // In the same line as what a proxy adds, an open quotation mark makes all of it illegible,
        // and no address of the client's own choice.
        assert_eq!(by_nodes(&["for=192.0.2.1;x=\", for=203.0.113.7"]), UNKNOWN);
        assert_eq!(by_nodes(&["for=192.0.2.1;x=\", for=\"[2001:db8::7]\""]), UNKNOWN);
        assert_eq!(by_nodes(&["for=192.0.2.1;x=\"\\\", for=\"[2001:db8::7]\""]), UNKNOWN);
        assert_eq!(by_nodes(&["for=192.0.2.1;x=\"a,b;c\\\"d\", for=203.0.113.7"]), "203.0.113.7");
    }
}
