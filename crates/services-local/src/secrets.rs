//! Passwords that are derived, so that none is stored.

use std::fmt::Write as _;

use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::config::SecretKey;

/// What a password is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Our own account of a project's PostgreSQL.
    PostgresAdministration,
    /// An environment's role.
    Postgres,
    /// The role that dumps an environment's database.
    PostgresKeeper,
    /// Our own account of an environment's Redis.
    RedisAdministration,
    /// An environment's account of its Redis.
    Redis,
    /// An environment's secret key for S3.
    S3,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::PostgresAdministration => "postgres-administration",
            Self::Postgres => "postgres",
            Self::PostgresKeeper => "postgres-keeper",
            Self::RedisAdministration => "redis-administration",
            Self::Redis => "redis",
            Self::S3 => "s3",
        }
    }
}

impl SecretKey {
    /// The password for a purpose of whoever has this identifier: 64 hexadecimal digits.
    pub(crate) fn derive(&self, purpose: Purpose, id: &impl ToString) -> SecretString {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret())
            .expect("HMAC takes keys of any length");
        mac.update(purpose.name().as_bytes());
        mac.update(b" ");
        mac.update(id.to_string().as_bytes());
        hex(&mac.finalize().into_bytes()).into()
    }
}

/// The SHA-256 of a password, in hexadecimal digits.
pub(crate) fn digest(password: &SecretString) -> String {
    hex(&Sha256::digest(password.expose_secret()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::{Purpose, SecretKey};

    #[test]
    fn passwords_depend_on_the_key_the_purpose_and_the_identifier() {
        let key = SecretKey::new([1; 32]);
        let password = |key: &SecretKey, purpose, id| {
            let password = key.derive(purpose, &id);
            password.expose_secret().to_owned()
        };
        let one = password(&key, Purpose::Postgres, "a");
        assert_eq!(one, password(&key, Purpose::Postgres, "a"));
        assert_eq!(one.len(), 64);
        assert_ne!(one, password(&key, Purpose::Redis, "a"));
        assert_ne!(one, password(&key, Purpose::Postgres, "b"));
        assert_ne!(one, password(&SecretKey::new([2; 32]), Purpose::Postgres, "a"));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", SecretKey::new([7; 32])), "SecretKey");
    }
}
