//! What a browser keeps while it is away.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use windlass_auth::Detour;
use windlass_domain::{Entropy, SealedValue};

use crate::{ControlError, Keyring};

/// It opens as nothing else that is sealed.
const BOUND_TO: &str = "a browser's way to GitHub and back";
/// Longer than any of ours: browsers keep no more.
const MOST_BYTES: usize = 4096;

/// What a browser keeps while it is away.
pub(super) struct Keepsake {
    pub(super) detour: Detour,
    pub(super) next: String,
    pub(super) invitation: Option<SecretString>,
    pub(super) take_over: bool,
    /// At this instant it is worth nothing.
    pub(super) until: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct Text<'a> {
    state: &'a str,
    verifier: &'a str,
    redirect_uri: String,
    next: String,
    invitation: Option<&'a str>,
    take_over: bool,
    until: DateTime<Utc>,
}

impl Keepsake {
    /// The text that the browser keeps, and cannot read.
    pub(super) fn seal(
        &self,
        keyring: &Keyring,
        entropy: &dyn Entropy,
    ) -> Result<SecretString, ControlError> {
        let Self { detour: Detour { state, verifier, redirect_uri }, .. } = self;
        let text = serde_json::to_string(&Text {
            state: state.expose_secret(),
            verifier: verifier.expose_secret(),
            redirect_uri: redirect_uri.clone(),
            next: self.next.clone(),
            invitation: self.invitation.as_ref().map(SecretString::expose_secret),
            take_over: self.take_over,
            until: self.until,
        });
        let text = text.map_err(|err| ControlError::Internal(Box::new(err)))?.into();
        let SealedValue { key_id, bytes } = keyring.seal(BOUND_TO, &text, entropy)?;
        Ok(format!("{key_id}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)).into())
    }

    /// What was sealed here, or on a server with the same keys; anything else is nothing.
    pub(super) fn open(keyring: &Keyring, kept: &SecretString) -> Option<Self> {
        let kept = Some(kept.expose_secret()).filter(|kept| kept.len() <= MOST_BYTES)?;
        let (key_id, bytes) = kept.split_once('.')?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(bytes).ok()?;
        let sealed = SealedValue { key_id: key_id.parse().ok()?, bytes };
        let opened = keyring.open(BOUND_TO, &sealed).ok()?;
        let text: Text<'_> = serde_json::from_str(opened.expose_secret()).ok()?;
        let detour = Detour {
            state: text.state.into(),
            verifier: text.verifier.into(),
            redirect_uri: text.redirect_uri,
        };
        Some(Self {
            detour,
            next: text.next,
            invitation: text.invitation.map(SecretString::from),
            take_over: text.take_over,
            until: text.until,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use secrecy::{ExposeSecret as _, SecretString};
    use windlass_auth::Detour;
    use windlass_domain::OsEntropy;

    use super::Keepsake;
    use crate::Keyring;

    #[test]
    fn what_is_kept_comes_back_whole_or_not_at_all() {
        let keyring = Keyring::generate(&OsEntropy);
        let keepsake = Keepsake {
            detour: Detour::begin("https://windlass.example.com/back".to_owned(), &OsEntropy),
            next: "/docs/?a=\"b\"".to_owned(),
            invitation: Some("wli_secret".into()),
            take_over: true,
            until: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        };
        let kept = keepsake.seal(&keyring, &OsEntropy).unwrap();
        let back = Keepsake::open(&keyring, &kept).unwrap();
        assert!(back.detour.has_state(keepsake.detour.state.expose_secret()));
        let verifiers = [&back, &keepsake].map(|kept| kept.detour.verifier.expose_secret());
        assert_eq!(verifiers[0], verifiers[1]);
        assert_eq!(back.detour.redirect_uri, keepsake.detour.redirect_uri);
        assert_eq!((back.next, back.take_over), (keepsake.next, true));
        assert_eq!(back.invitation.unwrap().expose_secret(), "wli_secret");
        assert_eq!(back.until, keepsake.until);

        let text = kept.expose_secret();
        assert!(!text.contains("secret"));
        let other = Keyring::generate(&OsEntropy);
        assert!(Keepsake::open(&other, &kept).is_none());
        let long = format!("1.{}", "A".repeat(5_000));
        let (rest, end) = text.split_at(text.len() - 2);
        let changed = format!("{rest}{}", if end.starts_with('A') { "BA" } else { "AA" });
        for wrong in ["", ".", "1.", "x.AAAA", "1.!", &long, &changed, &text[2..]] {
            assert!(Keepsake::open(&keyring, &SecretString::from(wrong)).is_none(), "{wrong}");
        }
    }
}
