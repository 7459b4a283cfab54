//! The `Cookie` headers of a request, and the session in them.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use chrono::TimeDelta;
use http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, HOST},
};
use tokio::runtime::{Builder, Runtime};
use windlass_auth::{
    Clock as _, DirectoryError, Effects, Membership, OrganizationId, Role, SessionDirectory,
    SessionEntry, SessionError, SessionId, SessionKeys, SessionRecord, SessionVerifier, UserId,
    VerifierOptions, session_key_of, sign_session,
};
use windlass_http::presented_session;

use crate::world::{Counting, Stopped};

const ELSEWHERE: &str = "windlass.example.com";
const SECURE: &str = "__Host-windlass_session";
const PLAIN: &str = "windlass_session";

/// One person who has signed in.
struct World {
    entry: SessionEntry,
    cookie: String,
    verifier: SessionVerifier,
    runtime: Runtime,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

struct One(SessionEntry);

#[async_trait]
impl SessionDirectory for One {
    async fn find_session(&self, id: SessionId) -> Result<Option<SessionEntry>, DirectoryError> {
        Ok((self.0.record.id == id).then(|| self.0.clone()))
    }
}

impl World {
    fn new() -> Self {
        let entropy = Counting::default();
        let fx = Effects { clock: &Stopped, entropy: &entropy };
        let keys = SessionKeys::generate(&entropy);
        let (organization_id, user_id) = (OrganizationId::generate(fx), UserId::generate(fx));
        let now = Stopped.now();
        let record = SessionRecord {
            id: SessionId::generate(fx),
            user_id,
            created_at: now,
            expires_at: now + TimeDelta::days(30),
            last_seen_at: now,
            user_agent: "fuzz".to_owned(),
            address: None,
        };
        let cookie = sign_session(&record, &keys).unwrap().expose().to_owned();
        let memberships = vec![Membership { organization_id, user_id, role: Role::Owner }];
        let entry = SessionEntry { record, memberships };
        let verifier = SessionVerifier::new(
            Arc::new(One(entry.clone())),
            keys,
            Arc::new(Stopped),
            TimeDelta::days(7),
            VerifierOptions { cache_size: 16, ..VerifierOptions::default() },
        );
        let runtime = Builder::new_current_thread().build().unwrap();
        Self { entry, cookie, verifier, runtime }
    }
}

/// A session that is found stands in a cookie of the right name for that host; and nothing opens
/// anything but the one session that there is, to the letter.
pub fn check(data: &[u8]) {
    let lines: Vec<HeaderValue> = data
        .split(|byte| *byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    for (host, names) in [(ELSEWHERE, &[SECURE][..]), ("localhost:8080", &[SECURE, PLAIN])] {
        let headers = request(host, &lines);
        let Some(found) = presented_session(&headers) else { continue };
        assert!(!found.is_empty() && !found.contains(';'));
        let stands_in = |name: &&str| {
            let cookie = format!("{name}={found}");
            lines.iter().any(|line| line.to_str().is_ok_and(|line| line.contains(&cookie)))
        };
        assert!(names.iter().any(stands_in), "{found} on {host}");
        look(found);
    }
    if let Ok(text) = str::from_utf8(data) {
        look(text);
    }
}

fn request(host: &'static str, lines: &[HeaderValue]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static(host));
    for line in lines {
        headers.append(COOKIE, line.clone());
    }
    headers
}

fn look(text: &str) {
    let World { entry, cookie, verifier, runtime } = &*WORLD;
    match runtime.block_on(verifier.verify(text, None)) {
        Ok(principal) => {
            assert_eq!(text, cookie, "another text was let in");
            assert_eq!(principal.credential.session_id(), Some(entry.record.id));
            assert_eq!(principal.user_id, entry.record.user_id);
            assert_eq!(session_key_of(text), Some(1));
        }
        Err(SessionError::Invalid) => assert_ne!(text, cookie, "it is the one that there is"),
        Err(err) => panic!("{err:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{SECURE, WORLD, check, look};

    /// The corpus holds it, so that a fuzzer can begin with what is genuine.
    #[test]
    fn the_one_session_is_in_the_corpus() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/session_cookie/");
        let read = |name: &str| std::fs::read_to_string(format!("{corpus}{name}")).unwrap();
        let cookie = &WORLD.cookie;
        assert_eq!(read("seed_00"), *cookie);
        assert_eq!(read("seed_01"), format!("{SECURE}={cookie}"));
        look(cookie);
        check(read("seed_01").as_bytes());
    }
}
