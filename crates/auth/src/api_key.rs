//! API keys: what they look like, how they are made and how they are verified.

mod directory;
mod format;
mod hasher;
mod import;
mod mint;
mod verifier;

#[cfg(feature = "biscuit")]
pub(crate) use self::mint::distinct;
pub use self::{
    directory::{DirectoryError, KeyDirectory, KeyEntry},
    format::{KeyFormat, KeyPrefixError, NewKey, ParsedKey, PlainKey},
    hasher::{BcryptCost, BcryptCostError, HasherOptions, KeyHasher},
    import::{ImportError, ImportedFormat, ImportedKey, import},
    mint::{Creator, MintError, MintedKey, NewApiKey, mint},
    verifier::{AuthError, KeyVerifier, Rehash, VerifierOptions},
};
