//! From nothing to a service that knows who calls and what they may do.
//!
//! # What there is
//!
//! People work in **organizations**; what they work on lies in **projects**. You have identifiers
//! for all three already, or make them with [`OrganizationId::generate`](windlass_domain::Id::generate) and
//! the like. Somebody's [`Role`](crate::Role) in an organization says what they may do there.
//!
//! Programs that act for a person present a **credential**: an API key, or with the feature
//! `biscuit` a token (see the page `tokens`). Whatever is presented, a verifier turns it into a
//! [`Principal`](crate::Principal), and [`authorize`](crate::authorize) says yes or no to each use.
//!
//! # A place for keys
//!
//! The crate has no database. It asks yours, through [`KeyDirectory`](crate::KeyDirectory): which
//! key has this look-up id, and what is its creator now? A list will do here; in earnest it is a
//! table with an index on [`ApiKeyRecord::lookup`](crate::ApiKeyRecord::lookup).
//!
//! ```
//! use std::sync::Mutex;
//!
//! use windlass_auth::{DirectoryError, KeyDirectory, KeyEntry};
//!
//! #[derive(Default)]
//! struct Keys(Mutex<Vec<KeyEntry>>);
//!
//! #[async_trait::async_trait]
//! impl KeyDirectory for Keys {
//!     async fn find_key(&self, lookup: &str) -> Result<Option<KeyEntry>, DirectoryError> {
//!         let keys = self.0.lock().unwrap();
//!         Ok(keys.iter().find(|entry| entry.record.lookup == lookup).cloned())
//!     }
//! }
//! ```
//!
//! # Make a key, verify it, decide, revoke it
//!
//! ```
//! use std::sync::Arc;
//!
//! use windlass_auth::{
//!     AuthError, BcryptCost, Denied, Effects, HasherOptions, KeyFormat, KeyHasher, KeyVerifier,
//!     Membership, NewApiKey, OrganizationId, OsEntropy, Permission, ProjectId, Role, Scope,
//!     SystemClock, Target, UserId, VerifierOptions, authorize, mint,
//! };
//! # use std::sync::Mutex;
//! # use windlass_auth::{Clock as _, DirectoryError, KeyDirectory, KeyEntry};
//! # #[derive(Default)]
//! # struct Keys(Mutex<Vec<KeyEntry>>);
//! # #[async_trait::async_trait]
//! # impl KeyDirectory for Keys {
//! #     async fn find_key(&self, lookup: &str) -> Result<Option<KeyEntry>, DirectoryError> {
//! #         let keys = self.0.lock().unwrap();
//! #         Ok(keys.iter().find(|entry| entry.record.lookup == lookup).cloned())
//! #     }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Time and randomness are passed in, so that tests can have their own.
//! let fx = Effects { clock: &SystemClock, entropy: &OsEntropy };
//! let organization_id = OrganizationId::generate(fx);
//! let ada = Membership { organization_id, user_id: UserId::generate(fx), role: Role::Member };
//!
//! // One format and one hasher for the whole service. (The lowest cost suits an example only.)
//! let format = KeyFormat::with_prefix("acme")?;
//! let hasher = KeyHasher::new(HasherOptions { cost: BcryptCost::MIN, ..HasherOptions::default() });
//!
//! // Ada makes a key for her continuous integration: it may build, from one network, and nothing
//! // else. What she may not do herself, no key of hers could do either.
//! let request = NewApiKey {
//!     allowed_addresses: Some(vec!["203.0.113.0/24".parse()?]),
//!     ..NewApiKey::new("ci".parse()?, vec![Scope::Build])
//! };
//! let minted = mint(request, ada, &format, &hasher, fx).await?;
//!
//! // The record is stored; it has a hash of the key. The key itself is shown once.
//! let keys = Arc::new(Keys::default());
//! let entry = KeyEntry { record: minted.record, creator_role: Some(ada.role) };
//! keys.0.lock().unwrap().push(entry);
//! let shown_once = minted.key.expose().to_owned(); // acme_2jNaZ0bKw9t_…
//!
//! // With each request, whoever presents a key is identified …
//! let clock = Arc::new(SystemClock);
//! let options = VerifierOptions::default();
//! let verifier = KeyVerifier::new(keys.clone(), hasher, format, clock, options);
//! let address = Some("203.0.113.7".parse()?);
//! let caller = verifier.verify(&shown_once, address).await?;
//! assert_eq!(caller.label(), r#"API key "ci""#);
//!
//! // … and each use case asks before it does anything.
//! let project = Target::project(organization_id, ProjectId::generate(fx));
//! let grant = authorize(&caller, Permission::BuildsWrite, project)?;
//! assert_eq!(grant.permission(), Permission::BuildsWrite);
//!
//! let permission = Permission::ProjectsWrite;
//! assert_eq!(authorize(&caller, permission, project), Err(Denied::Forbidden { permission }));
//!
//! // A key that was revoked is refused as soon as the verifier is told. Where nobody tells it, as
//! // in another process, that is when `VerifierOptions::cache_ttl` is over.
//! let id = {
//!     let mut keys = keys.0.lock().unwrap();
//!     keys[0].record.revoked_at = Some(SystemClock.now());
//!     keys[0].record.id
//! };
//! verifier.forget(id);
//! assert!(matches!(verifier.verify(&shown_once, address).await, Err(AuthError::Invalid)));
//! # Ok(())
//! # }
//! ```
//!
//! # What to answer
//!
//! | | |
//! |---|---|
//! | [`AuthError::Invalid`](crate::AuthError::Invalid) | 401: show another credential |
//! | [`AuthError::WrongAddress`](crate::AuthError::WrongAddress) | 403: it is good, but not from there |
//! | [`AuthError::Busy`](crate::AuthError::Busy), [`Unavailable`](crate::AuthError::Unavailable) | 503: this says nothing about the credential |
//! | [`Denied::Hidden`](crate::Denied::Hidden) | 404, as if there were no such thing |
//! | [`Denied::Forbidden`](crate::Denied::Forbidden), [`WrongOrganization`](crate::Denied::WrongOrganization) | 403 |
//! | [`Denied::Undecided`](crate::Denied::Undecided) | 503 |

#[cfg(feature = "biscuit")]
pub mod tokens;
