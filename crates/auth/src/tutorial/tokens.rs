//! Tokens: made once, narrowed by whoever holds them, revoked together with what was made of them.
//!
//! A token is not stored, but what is known of it is: [`TokenDirectory`](crate::TokenDirectory)
//! finds that, and which blocks of tokens were revoked. The root keys, with which tokens are
//! signed, belong where only the service can read them (see
//! [`RootKeys::to_text`](crate::RootKeys::to_text)).
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use windlass_auth::{
//!     Denied, DirectoryError, Effects, Membership, Narrowing, NewToken, OrganizationId, OsEntropy,
//!     Permission, ProjectId, Role, RootKeys, SystemClock, Target, TokenDirectory, TokenEntry,
//!     TokenError, TokenId, TokenVerifier, UserId, VerifierOptions, attenuate, authorize, inspect,
//!     mint_token,
//! };
//!
//! #[derive(Default)]
//! struct Tokens {
//!     entries: Mutex<Vec<TokenEntry>>,
//!     revoked: Mutex<Vec<String>>,
//! }
//!
//! #[async_trait::async_trait]
//! impl TokenDirectory for Tokens {
//!     async fn find_token(
//!         &self,
//!         id: TokenId,
//!         revocation_ids: &[String],
//!     ) -> Result<Option<TokenEntry>, DirectoryError> {
//!         let revoked = self.revoked.lock().unwrap();
//!         let is_revoked = revocation_ids.iter().any(|id| revoked.contains(id));
//!         let entries = self.entries.lock().unwrap();
//!         let entry = entries.iter().find(|entry| entry.record.id == id).cloned();
//!         Ok(entry.map(|entry| TokenEntry { is_revoked, ..entry }))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let fx = Effects { clock: &SystemClock, entropy: &OsEntropy };
//! let organization_id = OrganizationId::generate(fx);
//! let ada = Membership { organization_id, user_id: UserId::generate(fx), role: Role::Member };
//!
//! // Ada makes a token for all that she may do. (A `&Principal` is as good as a membership: what
//! // is made with a credential never has more than that.)
//! let root_keys = RootKeys::generate(&OsEntropy);
//! let minted = mint_token(NewToken::new("mine".parse()?), ada, &root_keys, fx)?;
//! let tokens = Arc::new(Tokens::default());
//! let entry =
//!     TokenEntry { record: minted.record, creator_role: Some(ada.role), is_revoked: false };
//! tokens.entries.lock().unwrap().push(entry);
//!
//! // Wherever she is, with or without a network, she makes a narrower one for somebody else.
//! let project = ProjectId::generate(fx);
//! let narrowing = Narrowing {
//!     projects: Some(vec![project]),
//!     is_read_only: true,
//!     allowed_addresses: Some(vec!["203.0.113.0/24".parse()?]),
//!     ..Narrowing::default()
//! };
//! let handed_on = attenuate(minted.token.expose(), &narrowing, &OsEntropy)?;
//!
//! // Whoever presents it is identified, and asked about every use.
//! let clock = Arc::new(SystemClock);
//! let verifier = TokenVerifier::new(tokens.clone(), root_keys, clock, VerifierOptions::default());
//! let address = Some("203.0.113.7".parse()?);
//! let caller = verifier.verify(handed_on.expose(), address).await?;
//!
//! let target = Target::project(organization_id, project);
//! assert!(authorize(&caller, Permission::LogsRead, target).is_ok());
//! let permission = Permission::DeploymentsWrite;
//! assert_eq!(authorize(&caller, permission, target), Err(Denied::Forbidden { permission }));
//! let another = Target::project(organization_id, ProjectId::generate(fx));
//! assert_eq!(authorize(&caller, Permission::LogsRead, another), Err(Denied::Hidden));
//!
//! // Each block has an identifier by which what it made can be revoked, and all that is made of
//! // that. The token that came before goes on working.
//! let inspection = inspect(handed_on.expose())?;
//! let [_, second] = &inspection.blocks[..] else { panic!("it was narrowed once") };
//! tokens.revoked.lock().unwrap().push(second.revocation_id.clone());
//! let id = caller.credential.token_id().ok_or("it is a token")?;
//! verifier.forget(id);
//! let refused = verifier.verify(handed_on.expose(), address).await;
//! assert!(matches!(refused, Err(TokenError::Invalid)));
//! assert!(verifier.verify(minted.token.expose(), address).await.is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! [`TokenError::Invalid`](crate::TokenError::Invalid) is answered with 401 and
//! [`WrongAddress`](crate::TokenError::WrongAddress) with 403, as for a key: its token is good, but
//! not from there. Every other [`TokenError`](crate::TokenError) is answered with 503: it says
//! nothing about the token.
