//! One caller of every kind.

use std::{collections::BTreeMap, num::NonZeroUsize};

use axum::http::{HeaderName, Method, header, request::Builder};
use chrono::TimeDelta;
use serde_json::json;
use windlass_auth::{
    BcryptCost, HasherOptions, KeyFormat, KeyHasher, Membership, MintedKey, Narrowing, NewApiKey,
    Permission, Role, Scope, attenuate, mint,
};
use windlass_domain::{
    Clock as _, Effects, Organization, OrganizationId, OsEntropy, ProjectId, User,
};

use super::{table::Column, world::World};
use crate::harness::TestApi;

/// Where no request of the tests comes from.
const ELSEWHERE: &str = "192.0.2.0/24";

/// Makes callers in one installation.
pub(crate) struct Callers<'a> {
    api: &'a TestApi,
    hasher: KeyHasher,
    tenant: OrganizationId,
}

/// What somebody presents: headers, if any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presented(Vec<(HeaderName, String)>);

impl Presented {
    pub(crate) fn bearer(text: &str) -> Self {
        Self(vec![(header::AUTHORIZATION, format!("Bearer {text}"))])
    }

    /// A browser shows its session together with whose page it is on.
    pub(crate) fn session(cookie: &str) -> Self {
        let site = HeaderName::from_static("sec-fetch-site");
        Self(vec![(header::COOKIE, cookie.to_owned()), (site, "same-origin".to_owned())])
    }

    pub(crate) fn add_to(&self, request: Builder) -> Builder {
        self.0.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

impl<'a> Callers<'a> {
    pub(crate) async fn new(api: &'a TestApi) -> Self {
        let concurrency = NonZeroUsize::MIN;
        let hasher =
            KeyHasher::new(HasherOptions { cost: BcryptCost::MIN, concurrency, queue: 64 });
        let mut uow = api.store.read().await.unwrap();
        let tenant = uow.organizations().first_of_everyone().await.unwrap().unwrap().id;
        Self { api, hasher, tenant }
    }

    /// Those who are the same whatever they ask for.
    pub(crate) async fn lasting(&self) -> BTreeMap<Column, Presented> {
        let mut all = BTreeMap::new();
        all.insert(("nobody", 'n'), Presented::default());
        let mut add = |group, letter, presented: Option<String>| {
            let presented = presented.as_deref().map(Presented::bearer);
            all.insert((group, letter), presented.unwrap_or_default());
        };
        add("nobody", 'm', Some("wls_mistyped".to_owned()));
        add("nobody", 'u', Some(self.mint(Role::Owner, &[Scope::Admin]).await.text()));
        add("nobody", 'w', Some(self.wrong_secret().await));
        add("nobody", 'x', Some(self.expired().await));
        add("nobody", 'r', Some(self.revoked().await));
        add("nobody", 'g', Some(self.departed().await));
        let scopes = [
            ('-', None),
            ('b', Some(Scope::Build)),
            ('s', Some(Scope::Submit)),
            ('u', Some(Scope::Update)),
            ('r', Some(Scope::Read)),
            ('a', Some(Scope::Admin)),
        ];
        for (letter, scope) in scopes {
            let scopes: Vec<Scope> = scope.into_iter().collect();
            add("scope", letter, Some(self.key(Role::Owner, &scopes).await));
        }
        let roles =
            [('v', Role::Viewer), ('m', Role::Member), ('a', Role::Admin), ('o', Role::Owner)];
        for (letter, role) in roles {
            add("role", letter, Some(self.admin_key_of(role).await));
        }
        add("reach", 't', Some(self.of_another_tenant().await));
        add("reach", 'w', Some(self.used_elsewhere().await));
        all
    }

    /// Tokens of the owner, some narrowed offline.
    pub(crate) async fn tokens(&self, elsewhere: &World) -> BTreeMap<Column, Presented> {
        let create = async |body| {
            let created = self.api.post("/api/auth/tokens", body).await;
            created.body["token"].as_str().expect("a token").to_owned()
        };
        let all = create(json!({ "label": "all" })).await;
        let narrow = |narrowing: &Narrowing| {
            attenuate(&all, narrowing, &OsEntropy).unwrap().expose().to_owned()
        };
        let projects = Some(vec![elsewhere.project.parse().unwrap()]);
        let allowed_addresses = Some(vec![ELSEWHERE.parse().unwrap()]);
        [
            ('r', create(json!({ "label": "look", "read_only": true })).await),
            ('p', narrow(&Narrowing { projects, ..Narrowing::default() })),
            ('a', narrow(&Narrowing { allowed_addresses, ..Narrowing::default() })),
            ('l', elsewhere.link(self.api).await),
        ]
        .into_iter()
        .map(|(letter, token)| (("token", letter), Presented::bearer(&token)))
        .collect()
    }

    /// People who can sign in.
    pub(crate) async fn people(&self) {
        let other = self.api.another_tenant().await;
        for (letter, role) in
            [('v', Role::Viewer), ('m', Role::Member), ('a', Role::Admin), ('t', Role::Owner)]
        {
            let tenant = if letter == 't' { other } else { self.tenant };
            self.api.person(&email(letter), &[(tenant, role)]).await;
        }
    }

    /// A session that has just begun, and maybe ended; those of `v`, `m`, `a` and `t` have not.
    pub(crate) async fn session(&self, letter: char) -> Presented {
        let cookie = match letter {
            'x' => {
                self.api.clock.advance(TimeDelta::days(-30));
                let cookie = self.api.sign_in(&email('v')).await;
                self.api.clock.advance(TimeDelta::days(30));
                cookie
            }
            'e' => {
                let cookie = self.api.sign_in(&email('v')).await;
                let out = self.api.browse(&cookie, Method::POST, "/api/auth/logout", None).await;
                assert!(out.status.is_success());
                cookie
            }
            letter => self.api.sign_in(&email(letter)).await,
        };
        Presented::session(&cookie)
    }

    /// A key of an owner that holds one permission.
    pub(crate) async fn with_only(&self, permission: Permission) -> String {
        self.key(Role::Owner, &[Scope::Permission(permission)]).await
    }

    /// A key of an owner that is bound to a project.
    pub(crate) async fn bound_to(&self, project: &str) -> String {
        let project: ProjectId = project.parse().unwrap();
        let mut minted = self.mint(Role::Owner, &[Scope::Admin]).await;
        minted.record.project_ids = Some(vec![project]);
        self.keep(&minted).await;
        minted.text()
    }

    async fn key(&self, role: Role, scopes: &[Scope]) -> String {
        let minted = self.mint(role, scopes).await;
        self.keep(&minted).await;
        minted.text()
    }

    /// A key with the scope `admin` whose creator has since become no more than a `role`.
    async fn admin_key_of(&self, role: Role) -> String {
        let minted = self.mint_in(self.tenant, Role::Owner, Some(role), &[Scope::Admin]).await;
        self.keep(&minted).await;
        minted.text()
    }

    async fn wrong_secret(&self) -> String {
        let mut minted = self.mint(Role::Owner, &[Scope::Admin]).await;
        let other = KeyFormat::default().generate(&OsEntropy);
        minted.record.hash = self.hasher.hash(&other.key).await.unwrap();
        self.keep(&minted).await;
        minted.text()
    }

    async fn expired(&self) -> String {
        let mut minted = self.mint(Role::Owner, &[Scope::Admin]).await;
        minted.record.expires_at = Some(self.api.clock.now());
        self.keep(&minted).await;
        minted.text()
    }

    async fn used_elsewhere(&self) -> String {
        let mut minted = self.mint(Role::Owner, &[Scope::Admin]).await;
        minted.record.allowed_addresses = Some(vec![ELSEWHERE.parse().unwrap()]);
        self.keep(&minted).await;
        minted.text()
    }

    async fn revoked(&self) -> String {
        let mut minted = self.mint(Role::Owner, &[Scope::Admin]).await;
        minted.record.revoked_at = Some(self.api.clock.now() - TimeDelta::days(1));
        self.keep(&minted).await;
        minted.text()
    }

    async fn departed(&self) -> String {
        let minted = self.mint_in(self.tenant, Role::Owner, None, &[Scope::Admin]).await;
        self.keep(&minted).await;
        minted.text()
    }

    async fn of_another_tenant(&self) -> String {
        let other = Organization::create("Other".parse().unwrap(), self.fx());
        let mut uow = self.api.store.write().await.unwrap();
        uow.organizations().insert(&other).await.unwrap();
        uow.commit().await.unwrap();
        let minted = self.mint_in(other.id, Role::Owner, Some(Role::Owner), &[Scope::Admin]).await;
        self.keep(&minted).await;
        minted.text()
    }

    async fn mint(&self, role: Role, scopes: &[Scope]) -> MintedKey {
        self.mint_in(self.tenant, role, Some(role), scopes).await
    }

    /// A key that is not stored yet, of somebody new who was a `then` and is a `now`.
    async fn mint_in(
        &self,
        organization_id: OrganizationId,
        then: Role,
        now: Option<Role>,
        scopes: &[Scope],
    ) -> MintedKey {
        let user = User::create("Somebody".parse().unwrap(), self.fx());
        let membership = |role| Membership { organization_id, user_id: user.id, role };
        let mut uow = self.api.store.write().await.unwrap();
        uow.organizations().insert_user(&user).await.unwrap();
        if let Some(now) = now {
            uow.organizations().insert_membership(&membership(now)).await.unwrap();
        }
        uow.commit().await.unwrap();
        let new = NewApiKey {
            name: "matrix".parse().unwrap(),
            scopes: scopes.to_vec(),
            project_ids: None,
            allowed_addresses: None,
            expires_at: None,
        };
        let format = KeyFormat::default();
        mint(new, membership(then), &format, &self.hasher, self.fx()).await.unwrap()
    }

    async fn keep(&self, minted: &MintedKey) {
        let mut uow = self.api.store.write().await.unwrap();
        uow.api_keys().insert(&minted.record).await.unwrap();
        uow.commit().await.unwrap();
    }

    fn fx(&self) -> Effects<'_> {
        Effects { clock: &*self.api.clock, entropy: &OsEntropy }
    }
}

trait Text {
    fn text(&self) -> String;
}

impl Text for MintedKey {
    fn text(&self) -> String {
        self.key.expose().to_owned()
    }
}

fn email(letter: char) -> String {
    format!("{letter}@example.com")
}
