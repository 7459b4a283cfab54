//! A name for each request, by which people find it in the logs.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const MAX_BYTES: usize = 128;

/// Gives names that no other process and no other request has.
#[derive(Debug, Default)]
pub(crate) struct RequestIds {
    process: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    /// The client's own name for the request where it is a sensible one, else a new one; the
    /// headers have it afterwards.
    pub(crate) fn ensure(&self, headers: &mut HeaderMap) -> HeaderValue {
        let mut given = headers.get_all(X_REQUEST_ID).iter();
        if let (Some(value), None) = (given.next(), given.next())
            && is_sensible(value)
        {
            return value.clone();
        }
        let value = self.generate();
        headers.insert(X_REQUEST_ID, value.clone());
        value
    }

    fn generate(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let (high, low) = (self.process.hash_one(count), self.process.hash_one(!count));
        HeaderValue::try_from(format!("{high:016x}{low:016x}"))
            .expect("hexadecimal digits are text")
    }
}

fn is_sensible(value: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(byte);
    (1..=MAX_BYTES).contains(&value.len()) && value.as_bytes().iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{RequestIds, X_REQUEST_ID};

    #[test]
    fn a_sensible_name_is_kept_and_any_other_replaced() {
        let ids = RequestIds::default();
        let ensure = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_str(value).unwrap());
            let id = ids.ensure(&mut headers);
            assert_eq!(headers[X_REQUEST_ID], id);
            id
        };
        assert_eq!(ensure("req_01-a.B"), "req_01-a.B");
        for strange in ["", "a b", "<script>", &"x".repeat(129)] {
            assert_ne!(ensure(strange), strange);
        }
        assert_ne!(ids.ensure(&mut HeaderMap::new()), ids.ensure(&mut HeaderMap::new()));
    }
}
