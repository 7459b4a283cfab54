//! Where a program on somebody's own machine listens (RFC 8252, section 7.3).

use std::{fmt, num::NonZeroU16, str::FromStr};

/// Longer than any path that a program listens at.
const MOST_BYTES: usize = 200;

/// The address of a program that listens on the very machine of the browser, at any port:
/// `http://127.0.0.1:{port}/…`. There is no TLS on the way, and nobody in between.
///
/// Not `localhost`, which may be a name for something else (RFC 8252, section 8.3), and not
/// `[::1]`, to which no content security policy can let a form lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopbackRedirect {
    port: NonZeroU16,
    path: String,
}

/// The text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address on the browser's own machine, such as http://127.0.0.1:49152/callback")]
pub struct LoopbackRedirectError;

impl LoopbackRedirect {
    /// The address without its path.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl FromStr for LoopbackRedirect {
    type Err = LoopbackRedirectError;

    fn from_str(text: &str) -> Result<Self, LoopbackRedirectError> {
        let rest = text.strip_prefix("http://127.0.0.1:").ok_or(LoopbackRedirectError)?;
        let (port, path) = rest.split_once('/').ok_or(LoopbackRedirectError)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte);
        if MOST_BYTES < path.len() || !path.bytes().all(is_plain) {
            return Err(LoopbackRedirectError);
        }
        let parsed =
            Self { port: port.parse().map_err(|_| LoopbackRedirectError)?, path: path.to_owned() };
        // One address, one text: ports can be written with a sign, or zeros before them.
        if parsed.to_string() == text { Ok(parsed) } else { Err(LoopbackRedirectError) }
    }
}

impl fmt::Display for LoopbackRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.origin(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::LoopbackRedirect;

    #[test]
    fn any_port_of_the_browsers_own_machine_will_do_and_nothing_else() {
        for good in
            ["http://127.0.0.1:1/", "http://127.0.0.1:65535/callback", "http://127.0.0.1:80/a/b"]
        {
            assert_eq!(good.parse::<LoopbackRedirect>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:+80/callback",
            "http://127.0.0.1:080/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/?to=https://evil.example",
            "http://127.0.0.1:8080/#there",
            "http://127.0.0.1:8080/%0d%0a",
            "http://127.0.0.1:80@evil.example/",
            "http://127.0.0.1:80.evil.example/",
            "http://127.0.0.1.evil.example:80/",
            "http://a@127.0.0.1:80/",
            "https://127.0.0.1:8080/callback",
            "HTTP://127.0.0.1:8080/callback",
            "http://localhost:8080/callback",
            "http://127.1:8080/callback",
            "http://[::1]:8080/callback",
            "https://evil.example/callback",
            "windlass://callback",
        ] {
            assert!(bad.parse::<LoopbackRedirect>().is_err(), "{bad}");
        }
        let long = format!("http://127.0.0.1:1/{}", "a".repeat(201));
        assert!(long.parse::<LoopbackRedirect>().is_err());
    }
}
