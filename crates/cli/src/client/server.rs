//! Where a server is.

use std::{fmt, str::FromStr};

use ureq::http::Uri;

use crate::failure::Failure;

/// A server's address, without anything behind its host and port, or the folder where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    url: String,
    is_open: bool,
}

impl Server {
    /// Where a server listens that nobody has told anything else.
    pub(crate) fn default_one() -> Self {
        Self { url: "http://127.0.0.1:8080".to_owned(), is_open: false }
    }

    /// Whether what is sent to it can be read on the way.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }
}

impl FromStr for Server {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let url = text.trim().trim_end_matches('/').to_owned();
        let wrong = || {
            Failure::Usage(format!(
                "`{text}` is not a server's address; one looks like https://windlass.example.com"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        let is_plain = !authority.as_str().contains('@') && uri.query().is_none();
        if !matches!(scheme, "http" | "https") || !is_plain || url.contains('#') {
            return Err(wrong());
        }
        let host = authority.host();
        let is_here =
            matches!(host, "127.0.0.1" | "localhost" | "[::1]") || host.ends_with(".localhost");
        Ok(Self { url, is_open: scheme == "http" && !is_here })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_without_its_last_slash() {
        let server: Server = "https://windlass.example.com/".parse().unwrap();
        assert_eq!(server.to_string(), "https://windlass.example.com");
        assert!(!server.is_open());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "windlass.example.com",
            "ftp://example.com",
            "https://",
            "http://a@b",
            "http://a?b=c",
        ] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_server_elsewhere_without_tls_is_open() {
        assert!("http://windlass.example.com".parse::<Server>().unwrap().is_open());
        assert!(!"http://localhost:8080".parse::<Server>().unwrap().is_open());
        assert!(!Server::default_one().is_open());
    }
}
