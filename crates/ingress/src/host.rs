//! Which host a request is for.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};

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
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Result<Self, InvalidHost> {
        let mut named = headers.get_all(header::HOST).iter();
        let value = match (uri.authority(), named.next(), named.next()) {
            (_, _, Some(_)) | (None, None, None) => return Err(InvalidHost),
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

    /// The label in front of `base_domain`, in lower case, if that is what the host consists of.
    pub(crate) fn label(&self, base_domain: &str) -> Option<Cow<'_, str>> {
        let host = self.authority.host();
        let host = host.strip_suffix('.').unwrap_or(host);
        let (label, domain) = host.split_once('.')?;
        if label.is_empty() || !domain.eq_ignore_ascii_case(base_domain) {
            return None;
        }
        Some(if label.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(label.to_ascii_lowercase())
        } else {
            Cow::Borrowed(label)
        })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Uri, header};

    use super::{InvalidHost, RequestedHost};

    fn host(target: &str, hosts: &[&str]) -> Result<RequestedHost, InvalidHost> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
        }
        RequestedHost::of(&target.parse::<Uri>().unwrap(), &headers)
    }

    fn label(host_header: &str) -> Option<String> {
        host("/", &[host_header]).unwrap().label("apps.example").map(std::borrow::Cow::into_owned)
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
        assert_eq!(host.label("apps.example").as_deref(), Some("a"));
        assert_eq!(host.value, "a.apps.example:81");
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
