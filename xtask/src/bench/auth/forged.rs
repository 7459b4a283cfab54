//! Texts that have the form of a key, and are none.

use anyhow::Context as _;

use crate::dice::Dice;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LOOKUP: usize = 11;
const SECRET: usize = 27;
const CHECKSUM: usize = 6;

/// Makes wrong keys.
pub(super) struct Forger {
    dice: Dice,
    prefix: String,
    known: String,
}

impl Forger {
    /// Keys like this one.
    pub(super) fn of(key: &str) -> anyhow::Result<Self> {
        let mut parts = key.split('_');
        let mut part = || parts.next().map(str::to_owned).context("that is no key");
        Ok(Self { prefix: part()?, known: part()?, dice: Dice::new(7) })
    }

    /// A key with a look-up id that there is, and another secret.
    pub(super) fn wrong_secret(&mut self) -> String {
        let known = self.known.clone();
        self.key(&known)
    }

    /// A key with a look-up id that there is not.
    pub(super) fn unknown(&mut self) -> String {
        let lookup = self.digits(LOOKUP);
        self.key(&lookup)
    }

    /// So many letters and digits.
    pub(super) fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| digit(self.dice.below(62))).collect()
    }

    fn key(&mut self, lookup: &str) -> String {
        let secret = self.digits(SECRET);
        let body = format!("{}_{lookup}_{secret}", self.prefix);
        let checksum = checksum(&body);
        body + &checksum
    }
}

fn digit(value: u64) -> char {
    let at = usize::try_from(value % 62).unwrap_or_default();
    char::from(ALPHABET.get(at).copied().unwrap_or(b'0'))
}

/// The checksum of what comes before it, in base 62.
fn checksum(body: &str) -> String {
    let mut rest = u64::from(crc32fast::hash(body.as_bytes()));
    let mut digits = [' '; CHECKSUM];
    for place in digits.iter_mut().rev() {
        *place = digit(rest);
        rest /= 62;
    }
    digits.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_key_has_the_form_of_the_one_that_it_is_like() {
        let body = "wls_00000000001_000000000000000000000000002";
        let key = format!("{body}{}", checksum(body));
        let mut forger = Forger::of(&key).unwrap();
        let (wrong, unknown) = (forger.wrong_secret(), forger.unknown());
        assert!(wrong.starts_with("wls_00000000001_") && wrong != key);
        assert!(!unknown.starts_with("wls_00000000001_"));
        for forged in [wrong, unknown] {
            assert_eq!(forged.len(), key.len());
            let (body, tail) = forged.split_at(forged.len() - CHECKSUM);
            assert_eq!(tail, checksum(body));
        }
    }

    #[test]
    fn the_checksum_is_that_of_the_server() {
        assert_eq!(checksum("123456789"), "3jZRME", "CRC-32 of the standard's test text");
    }
}
