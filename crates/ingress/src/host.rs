//! Which host a request is for.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, Uri, Version, header, uri::Authority};

/// Where HTTPS is served unless a port is named.
pub(crate) const HTTPS_PORT: u16 = 443;

/// The host that a request names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RequestedHost {
    /// As the client wrote it, port included.
    pub(crate) value: HeaderValue,
    authority: Authority,
}

/// The request does not name one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidHost;

impl RequestedHost {
    /// The host of the request's target where it has one (RFC 9112, 3.2.2), else of its one `Host`.
    /// In HTTP/2, the two must not differ (RFC 9113, 8.3.1).
    pub(crate) fn of(
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Self, InvalidHost> {
        let mut named = headers.get_all(header::HOST).iter();
        let value = match (uri.authority(), named.next(), named.next()) {
            (_, _, Some(_)) | (None, None, None) => return Err(InvalidHost),
            (Some(authority), Some(host), None)
                if version == Version::HTTP_2 && !is_same(authority, host) =>
            {
                return Err(InvalidHost);
            }
            (Some(authority), ..) => {
                HeaderValue::from_str(authority.as_str()).map_err(|_| InvalidHost)?
            }
            (None, Some(value), None) => value.clone(),
        };
        let authority = Authority::try_from(value.as_bytes()).map_err(|_| InvalidHost)?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(InvalidHost);
        }
        Ok(Self { value, authority })
    }

    /// As the client wrote it.
    pub(crate) fn without_port(&self) -> &str {
        self.authority.host()
    }

    /// The host's name or address, in lower case, without port and trailing dot.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        normal(self.authority.host())
    }
}

/// What a host name is to the base domain.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// One label in front of it.
    Label(&'a str),
    /// Another name under it.
    Under,
    /// The base domain itself, or none of its business.
    Elsewhere,
}

impl<'a> Place<'a> {
    /// Both are in lower case and have no dot at their end.
    pub(crate) fn of(name: &'a str, base_domain: &str) -> Self {
        let front = name.strip_suffix(base_domain).and_then(|front| front.strip_suffix('.'));
        match front {
            None => Self::Elsewhere,
            Some(label) if label.is_empty() || label.contains('.') => Self::Under,
            Some(label) => Self::Label(label),
        }
    }
}

/// A host name as names are compared: in lower case, without the dot at its end.
pub(crate) fn normal(name: &str) -> Cow<'_, str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Whether both name the same host and port of a site with TLS, as HTTP/2 is served.
fn is_same(authority: &Authority, host: &HeaderValue) -> bool {
    let port = |authority: &Authority| authority.port_u16().unwrap_or(HTTPS_PORT);
    Authority::try_from(host.as_bytes()).is_ok_and(|host| {
        normal(host.host()) == normal(authority.host())
            && port(&host) == port(authority)
            && !host.as_str().contains('@')
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Uri, Version, header};

    use super::{InvalidHost, Place, RequestedHost};

    fn host(target: &str, hosts: &[&str]) -> Result<RequestedHost, InvalidHost> {
        host_of(Version::HTTP_11, target, hosts)
    }

    fn host_of(
        version: Version,
        target: &str,
        hosts: &[&str],
    ) -> Result<RequestedHost, InvalidHost> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
        }
        RequestedHost::of(version, &target.parse::<Uri>().unwrap(), &headers)
    }

    fn label(host_header: &str) -> Option<String> {
        let host = host("/", &[host_header]).unwrap();
        match Place::of(&host.name(), "apps.example") {
            Place::Label(label) => Some(label.to_owned()),
            Place::Under | Place::Elsewhere => None,
        }
    }

    #[test]
    fn the_label_is_found_whatever_the_case_port_or_trailing_dot() {
        for text in [
            "main-shop.apps.example",
            "main-shop.apps.example:8080",
            "main-shop.apps.example.",
            "main-shop.apps.example.:8080",
            "Main-Shop.APPS.example",
        ] {
            assert_eq!(label(text).as_deref(), Some("main-shop"), "{text}");
        }
    }

    #[test]
    fn only_one_label_in_front_of_the_base_domain_leads_to_an_app() {
        for text in [
            "apps.example",
            "a.b.apps.example",
            ".apps.example",
            "main-shop.apps.example.evil",
            "main-shopapps.example",
            "127.0.0.1",
            "[::1]:80",
            "localhost",
        ] {
            assert_eq!(label(text), None, "{text}");
        }
    }

    #[test]
    fn the_target_of_an_absolute_form_request_decides() {
        let host = host("http://a.apps.example:81/x", &["b.apps.example"]).unwrap();
        assert_eq!(host.name(), "a.apps.example");
        assert_eq!(host.value, "a.apps.example:81");
    }

    #[test]
    fn http_2_may_name_the_same_host_twice_but_not_another_one() {
        let host = |host| host_of(Version::HTTP_2, "https://a.apps.example/x", &[host]);
        for same in ["a.apps.example", "A.Apps.Example.", "a.apps.example:443"] {
            assert_eq!(host(same).unwrap().value, "a.apps.example", "{same}");
        }
        for other in ["b.apps.example", "a.apps.example:8443", "", "u@a.apps.example"] {
            assert_eq!(host(other).err(), Some(InvalidHost), "{other}");
        }
        let neither = host_of(Version::HTTP_2, "/x", &[]);
        assert_eq!(neither.err(), Some(InvalidHost));
        assert!(host_of(Version::HTTP_2, "/x", &["a.apps.example"]).is_ok());
    }

    #[test]
    fn names_under_the_base_domain_are_told_from_others() {
        let place = |name| Place::of(name, "apps.example");
        assert_eq!(place("a.apps.example"), Place::Label("a"));
        assert_eq!(place("a.b.apps.example"), Place::Under);
        assert_eq!(place(".apps.example"), Place::Under);
        assert_eq!(place("apps.example"), Place::Elsewhere);
        assert_eq!(place("myapps.example"), Place::Elsewhere);
        assert_eq!(place("shop.example"), Place::Elsewhere);
    }

    #[test]
    fn a_request_that_does_not_name_one_host_is_refused() {
        for hosts in [
            &[][..],
            &["a.apps.example", "a.apps.example"],
            &[""],
            &["u@a.apps.example"],
            &["a b"],
            &["a/b"],
        ] {
            assert_eq!(host("/", hosts).err(), Some(InvalidHost), "{hosts:?}");
        }
    }
}
