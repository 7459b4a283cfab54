//! What a provider promises about who reaches what.

use super::{
    Harness, Kind,
    support::{a_neighbour, a_place, all, expect, expect_closed, provide, put, value, with},
};
use crate::Variable;

/// The same name means something else in each environment and each project.
pub async fn environments_have_data_of_their_own(harness: &dyn Harness) {
    let place = a_place();
    let at = provide(harness, place, all(harness)).await;
    let next = provide(harness, a_neighbour(place), all(harness)).await;
    let far = provide(harness, a_place(), all(harness)).await;
    put(harness, &at, "name", "mine").await;
    expect(harness, &next, "name", None).await;
    expect(harness, &far, "name", None).await;
    put(harness, &next, "name", "yours").await;
    expect(harness, &at, "name", Some("mine")).await;
}

/// Whoever knows the names of another environment's things, or where they are, gets nowhere with
/// secrets of their own: neither in the same project nor in another.
pub async fn an_environment_cannot_reach_another(harness: &dyn Harness) {
    let place = a_place();
    let mine = provide(harness, place, all(harness)).await;
    for other in [a_neighbour(place), a_place()] {
        let theirs = provide(harness, other, all(harness)).await;
        put(harness, &theirs, "name", "value").await;
        for kind in harness.kinds() {
            for intruder in intruders(kind, &mine, &theirs) {
                expect_closed(harness, kind, &intruder).await;
            }
        }
        expect(harness, &theirs, "name", Some("value")).await;
    }
}

/// Without a secret, or with a wrong one, nothing opens.
pub async fn a_wrong_secret_opens_nothing(harness: &dyn Harness) {
    let at = provide(harness, a_place(), all(harness)).await;
    for kind in harness.kinds() {
        for wrong in ["", "wrong"] {
            let changed = match kind {
                Kind::Postgres => with(&at, "PGPASSWORD", wrong),
                Kind::Redis => with(&at, "REDIS_URL", &with_password(&at, wrong)),
                Kind::S3 => with(&at, "AWS_SECRET_ACCESS_KEY", wrong),
            };
            expect_closed(harness, kind, &changed).await;
        }
    }
}

/// Clients with my secrets that try to get at something of theirs.
fn intruders(kind: Kind, mine: &[Variable], theirs: &[Variable]) -> Vec<Vec<Variable>> {
    let swap = |keys: &[&str]| {
        keys.iter().fold(mine.to_vec(), |at, key| with(&at, key, value(theirs, key)))
    };
    match kind {
        Kind::Postgres => vec![
            swap(&["PGPORT", "PGDATABASE"]),
            swap(&["PGPORT", "PGUSER"]),
            swap(&["PGPORT", "PGUSER", "PGDATABASE"]),
        ],
        Kind::Redis => {
            let url = with_password(theirs, password(value(mine, "REDIS_URL")));
            vec![with(mine, "REDIS_URL", &url)]
        }
        Kind::S3 => vec![
            swap(&["S3_ENDPOINT", "S3_BUCKET"]),
            swap(&["S3_ENDPOINT", "AWS_ACCESS_KEY_ID"]),
            swap(&["S3_ENDPOINT", "S3_BUCKET", "AWS_ACCESS_KEY_ID"]),
        ],
    }
}

/// `REDIS_URL` with another password.
fn with_password(variables: &[Variable], wanted: &str) -> String {
    let url = value(variables, "REDIS_URL");
    url.replace(password(url), wanted)
}

/// The password of `redis://user:password@host:port`.
fn password(url: &str) -> &str {
    let (credentials, _) = url.rsplit_once('@').expect("the URL has a password");
    credentials.rsplit_once(':').expect("the URL has a password").1
}
