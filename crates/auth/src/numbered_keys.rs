//! Secret keys that succeed one another, by number.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use windlass_domain::Entropy;

/// Bytes of a key.
pub(crate) const KEY: usize = 32;

/// Secret keys of 256 bits by number, of which the one with the highest number is the newest.
///
/// Their text form has a line for each, `<number> <64 hexadecimal digits>`. Adding a line rotates;
/// a line may go once nothing needs its key any more.
pub struct NumberedKeys(BTreeMap<u32, SecretBox<[u8; KEY]>>);

/// The text is not that of keys. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberedKeysError {
    /// A line is something else.
    #[error("line {0} must be a number and 64 hexadecimal digits")]
    Line(usize),
    /// A number is there twice.
    #[error("line {0} repeats the number of another key")]
    Repeated(usize),
    /// There is no key.
    #[error("there is no key")]
    Empty,
}

impl NumberedKeys {
    /// No key yet.
    #[must_use]
    pub fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a new key and returns its number.
    pub fn rotate(&mut self, entropy: &dyn Entropy) -> u32 {
        let number = self.newest().map_or(1, |(number, _)| number.saturating_add(1));
        let mut key = Box::new([0; KEY]);
        entropy.fill(&mut *key);
        self.0.insert(number, SecretBox::new(key));
        number
    }

    /// Drops every key but the newest.
    pub(crate) fn retain_newest(&mut self) {
        if let Some((newest, _)) = self.newest() {
            self.0.retain(|number, _| *number == newest);
        }
    }

    /// Reads the text form; empty lines and those that begin with `#` are passed over.
    pub fn parse(text: &SecretString) -> Result<Self, NumberedKeysError> {
        let mut keys = BTreeMap::new();
        for (at, line) in text.expose_secret().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (number, key) = parse_line(line).ok_or(NumberedKeysError::Line(at + 1))?;
            if keys.insert(number, key).is_some() {
                return Err(NumberedKeysError::Repeated(at + 1));
            }
        }
        if keys.is_empty() { Err(NumberedKeysError::Empty) } else { Ok(Self(keys)) }
    }

    /// The text form, to be kept where only the service can read it.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        self.0.iter().map(|(number, key)| line(*number, key)).collect::<String>().into()
    }

    /// The line of the text form that holds one key.
    pub(crate) fn line(&self, number: u32) -> Option<SecretString> {
        self.0.get(&number).map(|key| line(number, key).into())
    }

    /// Every number, the oldest first.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }

    /// The key of a number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&[u8; KEY]> {
        self.0.get(&number).map(SecretBox::expose_secret)
    }

    /// The newest key and its number.
    #[must_use]
    pub fn newest(&self) -> Option<(u32, &[u8; KEY])> {
        self.0.last_key_value().map(|(number, key)| (*number, key.expose_secret()))
    }
}

impl fmt::Debug for NumberedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NumberedKeys").field(&self.0.keys()).finish()
    }
}

fn line(number: u32, key: &SecretBox<[u8; KEY]>) -> String {
    let mut line = format!("{number} ");
    for byte in key.expose_secret() {
        // Writing to a string cannot fail.
        let _ = write!(line, "{byte:02x}");
    }
    line.push('\n');
    line
}

fn parse_line(line: &str) -> Option<(u32, SecretBox<[u8; KEY]>)> {
    let (number, digits) = line.split_once(' ')?;
    if digits.len() != 2 * KEY || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = Box::new([0; KEY]);
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some((number.parse().ok()?, SecretBox::new(key)))
}
