//! Texts that are nearly sessions: each of them differs from a genuine one by one thing.

use chrono::{TimeDelta, Utc};
use jwt_compact::{
    Algorithm, AlgorithmExt as _, Claims, Header, Renamed,
    alg::{Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key},
};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use windlass_auth::{Role, SessionEntry, SessionError, SessionKeys, SessionVerifier, sign_session};
use windlass_domain::{Clock as _, Id};

use super::support::World;

const TYPE: &str = "windlass-session+jwt";

/// A server, somebody who has signed in there, and a forger who knows the server's key.
struct Stage {
    world: World,
    verifier: SessionVerifier,
    entry: SessionEntry,
    key: Vec<u8>,
}

impl Stage {
    fn set() -> Self {
        let world = World::new();
        let entry = world.signed_in(&[Role::Owner]);
        let keys = SessionKeys::generate(&world.entropy);
        let line = keys.line(1).unwrap();
        let digits = line.expose_secret().trim().strip_prefix("1 ").unwrap().to_owned();
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let key = (0..digits.len()).step_by(2).map(byte).collect();
        Self { verifier: world.verifier(keys), entry, world, key }
    }

    fn header() -> Header<Map<String, Value>> {
        Header::new(Map::new()).with_key_id("1").with_token_type(TYPE)
    }

    fn claims(&self) -> Claims<Map<String, Value>> {
        let record = &self.entry.record;
        let custom = json!({
            "iss": "windlass",
            "aud": "windlass-browser",
            "sub": record.user_id.to_string(),
            "sid": record.id.to_string(),
        });
        let mut claims = Claims::new(custom.as_object().unwrap().clone());
        claims.issued_at = Some(record.created_at);
        claims.expiration = Some(record.expires_at);
        claims
    }

    fn signed(
        &self,
        header: &Header<Map<String, Value>>,
        claims: &Claims<Map<String, Value>>,
    ) -> String {
        Hs256.token(header, claims, &Hs256Key::new(&self.key)).unwrap()
    }

    fn signed_as<A: Algorithm>(&self, algorithm: &A, key: &A::SigningKey) -> String {
        algorithm.token(&Self::header(), &self.claims(), key).unwrap()
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims.custom.insert(name.to_owned(), value);
        self.signed(&Self::header(), &claims)
    }

    async fn accepts(&self, text: &str) -> bool {
        match self.verifier.verify(text, None).await {
            Ok(_) => true,
            Err(SessionError::Invalid) => false,
            Err(err) => panic!("{err}: {text}"),
        }
    }
}

#[tokio::test]
async fn what_the_forger_makes_is_accepted_as_long_as_nothing_differs() {
    let stage = Stage::set();
    let genuine = sign_session(&stage.entry.record, &stage.verifier.keys()).unwrap();
    let forged = stage.signed(&Stage::header(), &stage.claims());
    assert!(stage.accepts(genuine.expose()).await && stage.accepts(&forged).await);
}

#[tokio::test]
async fn a_session_of_another_alg_is_refused() {
    let stage = Stage::set();
    let key = Hs256Key::new(&stage.key);
    let unsigned = stage.signed_as(&Renamed::new(Hs256, "none"), &key);
    let unsigned = unsigned.rsplit_once('.').unwrap().0.to_owned() + ".";
    for text in [
        unsigned,
        stage.signed_as(&Renamed::new(Hs256, "none"), &key),
        stage.signed_as(&Renamed::new(Hs256, "hs256"), &key),
        stage.signed_as(&Renamed::new(Hs256, "RS256"), &key),
        stage.signed_as(&Renamed::new(Hs256, "HS384"), &key),
        stage.signed_as(&Hs384, &Hs384Key::new(&stage.key)),
        stage.signed_as(&Hs512, &Hs512Key::new(&stage.key)),
        stage.signed_as(&Renamed::new(Hs512, "HS256"), &Hs512Key::new(&stage.key)),
    ] {
        assert!(!stage.accepts(&text).await, "{text}");
    }
}

#[tokio::test]
async fn a_session_for_another_aud_or_by_another_iss_is_refused() {
    let stage = Stage::set();
    for (name, value) in [
        ("aud", json!("windlass-cli")),
        ("aud", json!(["windlass-browser", "elsewhere"])),
        ("aud", json!("")),
        ("aud", Value::Null),
        ("iss", json!("https://accounts.example.com")),
        ("iss", Value::Null),
    ] {
        assert!(!stage.accepts(&stage.with_claim(name, value.clone())).await, "{name} {value}");
    }
    for name in ["aud", "iss", "sub", "sid"] {
        let mut claims = stage.claims();
        claims.custom.remove(name);
        assert!(!stage.accepts(&stage.signed(&Stage::header(), &claims)).await, "no {name}");
    }
}

#[tokio::test]
async fn a_text_of_another_typ_is_no_session() {
    let stage = Stage::set();
    for typ in ["JWT", "at+jwt", "", "WINDLASS-SESSION+JWT", "application/windlass-session+jwt"] {
        let header = Stage::header().with_token_type(typ);
        assert!(!stage.accepts(&stage.signed(&header, &stage.claims())).await, "{typ}");
    }
    let header = Header::new(Map::new()).with_key_id("1");
    assert!(!stage.accepts(&stage.signed(&header, &stage.claims())).await);
}

#[tokio::test]
async fn a_header_with_crit_or_anything_else_to_obey_is_refused() {
    let stage = Stage::set();
    for (name, value) in [
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("x5c", json!(["AAAA"])),
        ("enc", json!("A256GCM")),
        ("zip", json!("DEF")),
        ("unheard-of", Value::Null),
    ] {
        let mut header = Stage::header();
        header.other_fields.insert(name.to_owned(), value);
        assert!(!stage.accepts(&stage.signed(&header, &stage.claims())).await, "{name}");
    }
    let thumbprint = || Stage::header().with_certificate_sha1_thumbprint([0; 20]);
    for header in [
        Stage::header().with_key_set_url("https://evil.example.com/keys"),
        Stage::header().with_certificate_url("https://evil.example.com/cert"),
        Stage::header().with_certificate_thumbprint([0; 32]),
        thumbprint(),
    ] {
        assert!(!stage.accepts(&stage.signed(&header, &stage.claims())).await, "{header:?}");
    }
}

#[tokio::test]
async fn a_kid_that_is_not_exactly_the_number_of_a_key_is_refused() {
    let stage = Stage::set();
    for kid in ["2", "0", "01", "+1", " 1", "1 ", "-1", "", "4294967297", "../1", "1' OR '1'='1"] {
        let header = Stage::header().with_key_id(kid);
        assert!(!stage.accepts(&stage.signed(&header, &stage.claims())).await, "{kid:?}");
    }
    let header = Header::new(Map::new()).with_token_type(TYPE);
    assert!(!stage.accepts(&stage.signed(&header, &stage.claims())).await);
}

#[tokio::test]
async fn there_is_no_built_in_jwt_secret() {
    let stage = Stage::set();
    let nothing = SessionKeys::none();
    assert!(sign_session(&stage.entry.record, &nothing).is_err());
    let without_key = stage.world.verifier(nothing);
    let genuine = sign_session(&stage.entry.record, &stage.verifier.keys()).unwrap();
    assert!(without_key.verify(genuine.expose(), None).await.is_err());

    let another = SessionKeys::generate(&stage.world.entropy);
    let elsewhere = sign_session(&stage.entry.record, &another).unwrap();
    assert!(!stage.accepts(elsewhere.expose()).await);
    for guess in [&b""[..], b"secret", b"windlass", b"change-me", &[7; 32]] {
        let key = Hs256Key::new(guess);
        assert!(!stage.accepts(&stage.signed_as(&Hs256, &key)).await);
    }
}

#[tokio::test]
async fn a_session_without_its_time_or_out_of_it_is_refused() {
    let stage = Stage::set();
    let now = stage.world.clock.now();
    for (issued_at, expiration) in [
        (Some(now), None),
        (None, Some(now + TimeDelta::days(1))),
        (Some(now), Some(now)),
        (Some(now + TimeDelta::minutes(2)), Some(now + TimeDelta::days(1))),
        (Some(now), Some(chrono::DateTime::<Utc>::UNIX_EPOCH)),
    ] {
        let mut claims = stage.claims();
        (claims.issued_at, claims.expiration) = (issued_at, expiration);
        let text = stage.signed(&Stage::header(), &claims);
        assert!(!stage.accepts(&text).await, "{issued_at:?} {expiration:?}");
    }
}

#[tokio::test]
async fn a_session_of_somebody_else_or_of_nobody_is_refused() {
    let stage = Stage::set();
    let other = stage.world.signed_in(&[Role::Owner]);
    for (name, value) in [
        ("sub", other.record.user_id.to_string()),
        ("sid", other.record.id.to_string()),
        ("sid", Id::<windlass_auth::SessionRecord>::generate(stage.world.fx()).to_string()),
        ("sid", stage.entry.record.user_id.to_string()),
        ("sid", String::new()),
    ] {
        assert!(!stage.accepts(&stage.with_claim(name, json!(value))).await, "{name} {value}");
    }
}

#[tokio::test]
async fn an_altered_or_oversized_text_is_refused() {
    let stage = Stage::set();
    let text = sign_session(&stage.entry.record, &stage.verifier.keys()).unwrap();
    let text = text.expose();
    for at in 0..text.len() {
        let altered = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        let altered = [&text[..at], altered, &text[at + 1..]].concat();
        assert!(!stage.accepts(&altered).await, "{altered}");
    }
    for altered in [format!("{text}."), format!(".{text}"), format!("{text}=="), format!(" {text}")]
    {
        assert!(!stage.accepts(&altered).await, "{altered}");
    }
    let padded = stage.with_claim("padding", json!("x".repeat(1024)));
    assert!(!stage.accepts(&padded).await);
}
