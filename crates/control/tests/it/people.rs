//! People, and how they come and go.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use windlass_auth::{
    Credential, Membership, PlainPassword, Principal, ProjectReach, Role, SessionId, SessionRecord,
};
use windlass_control::{Browser, Caller, Control, SignIn, SignedIn};
use windlass_domain::{Id, User, UserId};
use windlass_storage::Store as _;

use crate::support::{FX, Platform, occasion, password_hasher};

/// What those sign in with who do.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

impl Platform {
    /// Somebody new in the owner's organization, who has signed in.
    pub(crate) async fn person(&self, name: &str, role: Role) -> Caller {
        let organization_id = self.owner.organization();
        let user = User::create(name.parse().unwrap(), FX);
        let mut uow = self.store.write().await.unwrap();
        uow.organizations().insert_user(&user).await.unwrap();
        uow.commit().await.unwrap();
        self.admit(user.id, role).await;
        let (id, expires_at) = self.session_of(user.id).await;
        let principal = Principal {
            organization_id,
            user_id: user.id,
            role,
            credential: Credential::Session { id, expires_at },
            permissions: role.permissions(),
            projects: ProjectReach::All,
            restriction: None,
        };
        self.control.caller(Arc::new(principal), occasion())
    }

    /// A session of somebody's, past all use cases, and when it ends.
    async fn session_of(&self, user_id: UserId) -> (SessionId, DateTime<Utc>) {
        let created_at = FX.clock.now();
        let session = SessionRecord {
            id: Id::generate(FX),
            user_id,
            created_at,
            expires_at: created_at + TimeDelta::days(1),
            last_seen_at: created_at,
            user_agent: String::new(),
            address: None,
        };
        let mut uow = self.store.write().await.unwrap();
        uow.sessions().insert(&session).await.unwrap();
        uow.commit().await.unwrap();
        (session.id, session.expires_at)
    }

    /// Gives somebody an e-mail address.
    pub(crate) async fn set_email(&self, user: UserId, email: &str) {
        let mut uow = self.store.write().await.unwrap();
        let user = uow.organizations().find_user(user).await.unwrap().unwrap();
        let user = User { email: Some(email.parse().unwrap()), ..user };
        uow.accounts().update_user(&user).await.unwrap();
        uow.commit().await.unwrap();
    }

    /// Lets somebody sign in with this e-mail address and [`PASSWORD`].
    pub(crate) async fn set_up_sign_in(&self, user: UserId, email: &str) {
        self.set_email(user, email).await;
        let password = PlainPassword::new(PASSWORD).unwrap();
        let hash = password_hasher().hash(&password, FX.entropy).await.unwrap();
        let mut uow = self.store.write().await.unwrap();
        uow.accounts().set_password(user, &hash, FX.clock.now()).await.unwrap();
        uow.commit().await.unwrap();
    }

    /// Begins a session of theirs on a server.
    pub(crate) async fn sign_in(&self, control: &Control, email: &str) -> SignedIn {
        let browser = Browser { user_agent: "Firefox".to_owned(), occasion: occasion() };
        let (email, password) = (email.parse().unwrap(), PASSWORD.into());
        windlass_control::sign_in(control, SignIn { email, password, browser }).await.unwrap()
    }

    /// Makes somebody a member of the owner's organization, past all use cases.
    pub(crate) async fn admit(&self, user_id: UserId, role: Role) {
        let organization_id = self.owner.organization();
        let membership = Membership { organization_id, user_id, role };
        let mut uow = self.store.write().await.unwrap();
        uow.organizations().insert_membership(&membership).await.unwrap();
        uow.commit().await.unwrap();
    }
}
