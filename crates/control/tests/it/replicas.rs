//! What is ended on one server is refused by the others.

use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use windlass_auth::{
    ApiKeyId, Narrowing, PlainPassword, Role, Scope, SessionId, TokenId, VerifierOptions, attenuate,
};
use windlass_control::{
    Caller, ChangePassword, Control, ControlError, Presentation, PresentedCredential, SignedIn,
    change_password, create_api_key, create_token, end_session, remove_member, revoke_api_key,
    revoke_presented_token, revoke_token, sign_out,
};
use windlass_domain::OsEntropy;
use windlass_storage::Store as _;

use crate::{
    keys::key,
    people::PASSWORD,
    support::{Keys, Platform, Server, occasion},
    tokens::everything,
};

/// How long an end may take to reach another server that hears of it.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How often it is tried.
const TIMES: usize = 200;

const GRACE: &str = "grace@example.com";

/// What ends when it is told to.
enum Ends {
    Key(ApiKeyId),
    Token(TokenId),
    Session(SessionId),
}

/// What somebody presents.
#[derive(Clone)]
enum Shown {
    Bearer(String),
    Session(String),
}

impl Shown {
    fn of(signed_in: &SignedIn) -> Self {
        Self::Session(signed_in.cookie.expose().to_owned())
    }

    fn presentation(&self) -> Presentation<'_> {
        let credential = match self {
            Self::Bearer(text) => PresentedCredential::Bearer(text),
            Self::Session(text) => PresentedCredential::Session(text),
        };
        Presentation { credential, organization: None, address: None }
    }
}

async fn is_refused(control: &Control, shown: &Shown) -> bool {
    match control.authenticate(shown.presentation()).await {
        Ok(_) => false,
        Err(ControlError::InvalidCredential(_)) => true,
        Err(err) => panic!("{err:?}"),
    }
}

/// Waits for as long as a server may go on letting somebody in.
async fn until_refused(control: &Control, shown: &Shown, deadline: Instant) {
    while !is_refused(control, shown).await {
        assert!(Instant::now() < deadline, "they are still let in");
        sleep(Duration::from_millis(1)).await;
    }
}

/// Two servers on one platform that hear of each other.
struct Pair {
    platform: Platform,
    one: Control,
    other: Control,
    running: [Server; 2],
}

impl Pair {
    async fn start(test: &str) -> Self {
        let platform = Platform::new(test).await;
        let (one, first) = platform.replica("one", Keys::default()).await;
        let (other, second) = platform.replica("other", Keys::default()).await;
        Self { platform, one, other, running: [first, second] }
    }

    /// Has something end on one server that both let in, and makes sure that neither does any more.
    async fn end(&self, shown: &Shown, end: impl Future<Output = Result<(), ControlError>>) {
        for server in [&self.one, &self.other] {
            assert!(!is_refused(server, shown).await);
        }
        end.await.unwrap();
        let deadline = Instant::now() + AT_ONCE;
        assert!(is_refused(&self.one, shown).await, "here at once");
        until_refused(&self.other, shown, deadline).await;
    }

    async fn stop(self) {
        for server in self.running {
            server.stop().await;
        }
    }
}

async fn caller(control: &Control, shown: &Shown) -> Caller {
    control.caller(control.authenticate(shown.presentation()).await.unwrap(), occasion())
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_another_server_within_a_second_each_time() {
    let pair = Pair::start("replicas_keys").await;
    let owner = &pair.platform.owner;
    for _ in 0..TIMES {
        let key = create_api_key(&pair.one, owner, key(&[Scope::Read])).await.unwrap();
        let shown = Shown::Bearer(key.key.expose().to_owned());
        pair.end(&shown, revoke_api_key(&pair.one, owner, key.record.id)).await;
    }
    pair.stop().await;
}

#[tokio::test]
async fn a_revoked_token_is_refused_by_another_server_within_a_second_each_time() {
    let pair = Pair::start("replicas_tokens").await;
    let (one, owner) = (&pair.one, &pair.platform.owner);
    for turn in 0..TIMES {
        let created = create_token(one, owner, everything()).await.unwrap();
        let text = created.token.expose();
        if turn % 2 == 0 {
            let shown = Shown::Bearer(text.to_owned());
            pair.end(&shown, revoke_token(one, owner, created.record.id)).await;
        } else {
            let narrowing = Narrowing { is_read_only: true, ..Narrowing::default() };
            let narrowed = attenuate(text, &narrowing, &OsEntropy).unwrap();
            let narrowed = narrowed.expose();
            let shown = Shown::Bearer(narrowed.to_owned());
            pair.end(&shown, revoke_presented_token(one, owner, narrowed)).await;
        }
    }
    pair.stop().await;
}

#[tokio::test]
async fn an_ended_session_is_refused_by_another_server_within_a_second_each_time() {
    let pair = Pair::start("replicas_sessions").await;
    let (platform, one) = (&pair.platform, &pair.one);
    let (owner, organization) = (&platform.owner, platform.owner.organization());
    let grace = platform.person("Grace", Role::Member).await.principal.user_id;
    platform.set_up_sign_in(grace, GRACE).await;
    let kept = Shown::of(&platform.sign_in(one, GRACE).await);
    for turn in 0..TIMES {
        let signed_in = platform.sign_in(one, GRACE).await;
        let shown = Shown::of(&signed_in);
        match turn % 4 {
            0 => pair.end(&shown, sign_out(one, &caller(one, &shown).await)).await,
            1 => {
                let elsewhere = caller(one, &kept).await;
                pair.end(&shown, end_session(one, &elsewhere, signed_in.session.id)).await;
            }
            2 => {
                let elsewhere = caller(one, &kept).await;
                let (current, new) = (PASSWORD.into(), PlainPassword::new(PASSWORD).unwrap());
                let change = ChangePassword { current, new };
                pair.end(&shown, change_password(one, &elsewhere, change)).await;
            }
            _ => {
                pair.end(&shown, remove_member(one, owner, organization, grace)).await;
                platform.admit(grace, Role::Member).await;
            }
        }
    }
    pair.stop().await;
}

/// Has a server look for many at a time: after that, it has as many connections for looking as it
/// ever uses.
async fn let_in(control: &Control, all: Vec<Shown>) {
    let mut asking = JoinSet::new();
    for shown in all {
        let control = control.clone();
        asking.spawn(async move { assert!(!is_refused(&control, &shown).await) });
    }
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_hears_nothing_refuses_what_has_ended_when_it_asks_again() {
    let platform = Platform::new("deaf_replica").await;
    if !platform.store.is_postgres() {
        // An SQLite file belongs to one server.
        return;
    }
    let cache_ttl = Duration::from_secs(2);
    let verified = VerifierOptions { cache_ttl, ..VerifierOptions::default() };
    let (deaf, server) = platform.replica("deaf", Keys { verified, ..Keys::default() }).await;
    let (control, owner) = (&platform.control, &platform.owner);
    let grace = platform.person("Grace", Role::Member).await.principal.user_id;
    platform.set_up_sign_in(grace, GRACE).await;
    let kept = caller(control, &Shown::of(&platform.sign_in(control, GRACE).await)).await;
    let mut all = Vec::new();
    for turn in 0..TIMES {
        all.push(match turn % 3 {
            0 => {
                let made = create_api_key(control, owner, key(&[Scope::Read])).await.unwrap();
                (Shown::Bearer(made.key.expose().to_owned()), Ends::Key(made.record.id))
            }
            1 => {
                let made = create_token(control, owner, everything()).await.unwrap();
                (Shown::Bearer(made.token.expose().to_owned()), Ends::Token(made.record.id))
            }
            _ => {
                let made = platform.sign_in(control, GRACE).await;
                (Shown::of(&made), Ends::Session(made.session.id))
            }
        });
    }
    let shown: Vec<Shown> = all.iter().map(|(shown, _)| shown.clone()).collect();
    for server in [&deaf, control] {
        let_in(server, shown.iter().take(16).cloned().collect()).await;
    }
    // None can be made later, nor any for changing something.
    let mut changing = Vec::new();
    for _ in 0..platform.store.options().max_connections / 2 {
        changing.push(platform.store.write().await.unwrap());
    }
    drop(changing);
    platform.store.cut_signals().await;

    let (mut deadlines, mut not_heard) = (Vec::new(), 0);
    for (shown, ends) in &all {
        assert!(!is_refused(&deaf, shown).await);
        match ends {
            Ends::Key(id) => revoke_api_key(control, owner, *id).await.unwrap(),
            Ends::Token(id) => revoke_token(control, owner, *id).await.unwrap(),
            Ends::Session(id) => end_session(control, &kept, *id).await.unwrap(),
        }
        deadlines.push(Instant::now() + cache_ttl + AT_ONCE);
        not_heard += usize::from(!is_refused(&deaf, shown).await);
    }
    assert!(TIMES / 2 < not_heard, "it was told of all but {not_heard}");
    for (shown, deadline) in shown.iter().zip(deadlines) {
        until_refused(&deaf, shown, deadline).await;
    }
    server.stop().await;
}
