//! Who may do what.
//!
//! A presented credential is verified once and becomes a [`Principal`]; one pure function,
//! [`authorize`], then decides about every single thing that it wants to do. The crate knows
//! nothing of HTTP frameworks or databases: stored keys come through a [`KeyDirectory`], and time
//! and randomness are passed in.
//!
//! - A [`Permission`] is one right, such as `projects:read`. Every route asks for one.
//! - A [`Scope`] is a named set of permissions, such as `build`. An API key holds scopes.
//! - A [`Role`] is what a person is in an organization. A key never has more than its creator's
//!   role allows now, and may be bound to some projects besides.
//!
//! # Tutorial
//!
//! A service that lets people in by API key needs a place where keys are kept. Here it is a list;
//! in earnest it is a table with an index on [`ApiKeyRecord::lookup`].
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use windlass_auth::{
//!     AuthError, BcryptCost, Denied, DirectoryError, HasherOptions, KeyDirectory, KeyEntry,
//!     KeyFormat, KeyHasher, KeyVerifier, Membership, NewApiKey, Permission, Role, Scope, Target,
//!     VerifierOptions, authorize, mint,
//! };
//! use windlass_domain::{Effects, Organization, OsEntropy, ProjectId, SystemClock, User};
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
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let fx = Effects { clock: &SystemClock, entropy: &OsEntropy };
//! let organization = Organization::create("Acme".parse()?, fx);
//! let ada = User::create("Ada".parse()?, fx);
//!
//! // One format and one hasher for the whole service. (The lowest cost suits an example only.)
//! let format = KeyFormat::default();
//! let hasher = KeyHasher::new(HasherOptions { cost: BcryptCost::MIN, ..HasherOptions::default() });
//!
//! // Ada makes a key for her continuous integration: it may build, and nothing else.
//! let request = NewApiKey {
//!     name: "ci".parse()?,
//!     scopes: vec![Scope::Build],
//!     project_ids: None,
//!     allowed_addresses: Some(vec!["203.0.113.0/24".parse()?]),
//!     expires_at: None,
//! };
//! let ada = Membership { organization_id: organization.id, user_id: ada.id, role: Role::Member };
//! let minted = mint(request, ada, &format, &hasher, fx).await?;
//! let shown_once = minted.key.expose().to_owned(); // wls_2jNaZ0bKw9t_…
//!
//! let keys = Arc::new(Keys::default());
//! let entry = KeyEntry { record: minted.record, creator_role: Some(Role::Member) };
//! keys.0.lock().unwrap().push(entry);
//!
//! // With each request, whoever presents a key is identified …
//! let verifier = KeyVerifier::new(
//!     keys.clone(),
//!     hasher,
//!     format,
//!     Arc::new(SystemClock),
//!     VerifierOptions::default(),
//! );
//! let address = Some("203.0.113.7".parse()?);
//! let caller = verifier.verify(&shown_once, address).await?;
//! assert_eq!(caller.label(), r#"API key "ci""#);
//!
//! // … and each use case asks before it does anything.
//! let project = Target::project(organization.id, ProjectId::generate(fx));
//! let grant = authorize(&caller, Permission::BuildsWrite, project)?;
//! assert_eq!(grant.permission(), Permission::BuildsWrite);
//!
//! let permission = Permission::ProjectsWrite;
//! assert_eq!(authorize(&caller, permission, project), Err(Denied::Forbidden { permission }));
//!
//! // A key that was revoked is refused as soon as the verifier is told.
//! let id = {
//!     let mut keys = keys.0.lock().unwrap();
//!     keys[0].record.revoked_at = Some(chrono::DateTime::UNIX_EPOCH);
//!     keys[0].record.id
//! };
//! verifier.forget(id);
//! assert!(matches!(verifier.verify(&shown_once, address).await, Err(AuthError::Invalid)));
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `biscuit` there are tokens as well, which whoever holds one can narrow and
//! hand on: see [`TokenVerifier`]. With the feature `password`, [`PasswordHasher`] keeps what people
//! sign in with.

mod api_key;
mod audit;
mod decision;
mod flights;
mod member;
mod network;
#[cfg(any(feature = "biscuit", feature = "session"))]
mod numbered_keys;
#[cfg(feature = "password")]
mod password;
mod permission;
mod permission_set;
mod principal;
mod record;
mod restriction;
mod role;
mod scope;
#[cfg(feature = "session")]
mod session;
mod slow;
#[cfg(feature = "biscuit")]
mod token;
mod uses;
mod verified;

#[cfg(any(feature = "biscuit", feature = "session"))]
pub use crate::numbered_keys::NumberedKeysError;
#[cfg(feature = "password")]
pub use crate::password::{
    PasswordCost, PasswordCostError, PasswordHash, PasswordHasher, PasswordLengthError,
    PasswordOptions, PasswordVerdict, PlainPassword,
};
#[cfg(feature = "session")]
pub use crate::session::{
    PlainSession, SessionDirectory, SessionEntry, SessionError, SessionKeys, SessionVerifier,
    SignSessionError, session_key_of, sign_session,
};
#[cfg(feature = "biscuit")]
pub use crate::token::{
    InspectedBlock, Inspection, MalformedToken, MintTokenError, MintedToken, NarrowError,
    Narrowing, NewToken, PlainToken, RootKeys, TokenDirectory, TokenEntry, TokenError,
    TokenVerifier, attenuate, inspect, looks_like_token, mint_token, seal,
};
pub use crate::{
    api_key::{
        AuthError, BcryptCost, BcryptCostError, Creator, DirectoryError, HasherOptions,
        ImportError, ImportedFormat, ImportedKey, KeyDirectory, KeyEntry, KeyFormat, KeyHasher,
        KeyPrefixError, KeyVerifier, MintError, MintedKey, NewApiKey, NewKey, ParsedKey, PlainKey,
        Rehash, VerifierOptions, import, mint,
    },
    audit::{
        Actor, AuditEntry, AuditEntryId, AuditObject, AuditOutcome, Audited, ParseAuditOutcomeError,
    },
    decision::{Denied, Grant, Target, authorize},
    member::{MemberChange, MemberRefusal, Standing, check_admission},
    network::{Network, ParseNetworkError},
    permission::{ParsePermissionError, Permission},
    permission_set::PermissionSet,
    principal::{AddressReach, Credential, CredentialKind, Principal, ProjectReach},
    record::{
        ApiKeyId, ApiKeyRecord, ExternalIdentity, IdentityProvider, Member, Membership,
        ParseRoleError, Role, SessionId, SessionRecord, TokenId, TokenPurpose, TokenRecord,
    },
    restriction::{Checks, OutOfBudget, Restriction},
    scope::{ParseScopeError, Scope},
    slow::HashError,
};
