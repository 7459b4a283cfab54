//! As whom a source is asked for.

use secrecy::SecretString;

/// A user name, and the password or token that goes with it.
#[derive(Debug, Clone)]
pub struct SourceCredential {
    /// Such as `x-access-token`; no secret.
    pub username: String,
    /// What proves it.
    pub password: SecretString,
}

#[cfg(test)]
mod tests {
    use super::SourceCredential;

    #[test]
    fn the_password_is_not_shown() {
        let credential = SourceCredential { username: "me".to_owned(), password: "hunter2".into() };
        assert!(!format!("{credential:?}").contains("hunter2"));
    }
}
