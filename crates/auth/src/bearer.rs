//! The credential in a header.

/// The credential in the value of an `Authorization` header, if it is one for whoever bears it
/// (RFC 6750, section 2.1).
#[must_use]
pub fn bearer_credential(header: &str) -> Option<&str> {
    let (scheme, credential) = header.split_once(' ')?;
    let credential = credential.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !credential.is_empty()).then_some(credential)
}

#[cfg(test)]
mod tests {
    use super::bearer_credential;

    #[test]
    fn a_bearers_credential_is_what_follows_the_scheme() {
        for header in ["Bearer wls_key", "bearer wls_key", "BEARER   wls_key "] {
            assert_eq!(bearer_credential(header), Some("wls_key"), "{header}");
        }
        for other in
            ["", "Bearer", "Bearer ", "Bearer\twls_key", "wls_key", "Basic d2xz", " Bearer a"]
        {
            assert_eq!(bearer_credential(other), None, "{other}");
        }
    }
}
