//! Who sent a message: whoever knows a secret.
//!
//! - GitHub: <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.
//!   The older `X-Hub-Signature`, by SHA-1, is not accepted.
//! - GitLab: <https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers>,
//!   its secret token, which it sends as it is.
//! - Gitea: <https://docs.gitea.com/usage/webhooks>, and Forgejo:
//!   <https://forgejo.org/docs/latest/user/webhooks/>.

use hmac::{Hmac, Mac as _};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    Forge, MessageError,
    headers::{Names, first},
};

/// What a message shows of a secret.
pub(crate) enum Proof {
    /// An HMAC-SHA256 of the body.
    Signature([u8; 32]),
    /// The SHA-256 of what should be the secret itself.
    Token([u8; 32]),
}

impl Proof {
    /// Finds it among the headers.
    pub(crate) fn read(forge: Forge, headers: &HeaderMap) -> Result<Self, MessageError> {
        let (names, form): (Names, _) = match forge {
            Forge::GitHub => (&["X-Hub-Signature-256"], "`sha256=` and 64 hexadecimal digits"),
            Forge::GitLab => (&["X-Gitlab-Token"], "the secret token itself"),
            // Forgejo sends both. One that is wrong is not made good by another.
            Forge::Gitea => {
                (&["X-Gitea-Signature", "X-Forgejo-Signature"], "64 hexadecimal digits")
            }
        };
        let (header, value) = first(names, headers);
        let proof = value.map(HeaderValue::as_bytes).and_then(|value| match forge {
            Forge::GitHub => value.strip_prefix(b"sha256=").and_then(unhex).map(Self::Signature),
            Forge::GitLab => (!value.is_empty()).then(|| Self::Token(Sha256::digest(value).into())),
            Forge::Gitea => unhex(value).map(Self::Signature),
        });
        proof.ok_or(MessageError::Unsigned { header, form })
    }

    /// Whether it was made with this secret, for this body. How long that takes depends on nothing
    /// but the lengths of the body and the secret.
    pub(crate) fn holds(&self, secret: &SecretString, body: &[u8]) -> bool {
        let secret = secret.expose_secret().as_bytes();
        // Anybody knows an empty one.
        if secret.is_empty() {
            return false;
        }
        match self {
            Self::Signature(signature) => {
                Hmac::<Sha256>::new_from_slice(secret).is_ok_and(|mut mac| {
                    mac.update(body);
                    mac.verify_slice(signature).is_ok()
                })
            }
            Self::Token(digest) => Sha256::digest(secret).ct_eq(digest.as_slice()).into(),
        }
    }
}

/// Reads 64 lower-case hexadecimal digits, which is how all forges write them. In capitals there
/// would be more than one text for a signature.
fn unhex(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::unhex;

    #[test]
    fn only_sixty_four_small_digits_are_a_signature() {
        let text = "00ff".repeat(16);
        assert_eq!(unhex(text.as_bytes()).map(|bytes| bytes[..2].to_vec()), Some(vec![0, 255]));
        for wrong in ["", "00", &text.to_uppercase(), &format!("{text}0"), &"0g".repeat(32)] {
            assert_eq!(unhex(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
