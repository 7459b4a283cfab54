//! The headers in which proxies say whom they speak for.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderValue, header::FORWARDED};
use windlass_auth::Network;
use windlass_http::{ForwardedHeader, TrustedProxies};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// Whoever is not a proxy is not believed; and what a client writes in front of what the proxies
/// add changes nothing about where it comes from.
pub fn check(data: &[u8]) {
    let lines: Vec<HeaderValue> = data
        .split(|byte| *byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    for (header, name) in [
        (ForwardedHeader::XForwardedFor, "x-forwarded-for"),
        (ForwardedHeader::Forwarded, FORWARDED.as_str()),
    ] {
        let network: Network = "10.0.0.0/8".parse().unwrap();
        let proxies = TrustedProxies { networks: vec![network], header };
        let client = |peer, lines: &[HeaderValue]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(http::HeaderName::from_static(name), line.clone());
            }
            proxies.client(peer, &headers)
        };
        assert_eq!(client(STRANGER, &lines), Some(STRANGER));

        let found = client(PROXY, &lines);
        assert_eq!(found.map(|address| address.to_canonical()), found, "in one way");
        let [_, added @ ..] = &*lines else { continue };
        let known = client(PROXY, added);
        if known.is_none_or(|address| !network.contains(address)) {
            assert_eq!(found, known, "the first line was written by the client");
        }
    }
}
