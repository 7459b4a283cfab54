//! The `Authorization` header.

use http::HeaderValue;
use windlass_auth::bearer_credential;

/// What is taken for a credential stands in the header, alone behind its scheme.
pub fn check(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let Ok(text) = value.to_str() else { return };
    let Some(credential) = bearer_credential(text) else { return };
    assert!(!credential.is_empty() && credential == credential.trim());
    let (scheme, rest) = text.split_at("bearer ".len());
    assert!(scheme.eq_ignore_ascii_case("bearer "));
    assert_eq!(rest.trim(), credential);
}
