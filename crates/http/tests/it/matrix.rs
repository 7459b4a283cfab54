//! The authorization matrix: every operation of the document, asked by every kind of caller.

pub(crate) mod callers;
mod table;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use serde_json::{Value, json};
use windlass_auth::Permission;
use windlass_storage_seaorm::test_util::Watch;

use self::{
    callers::{Callers, Presented},
    table::{Expected, Needs, Row, columns, rows},
    world::World,
};
use crate::{
    contract::DOCUMENT,
    harness::{Answer, TestApi},
};

/// An operation as the document has it.
struct Operation {
    id: &'static str,
    method: Method,
    path: &'static str,
    tag: &'static str,
    security: &'static Value,
}

fn operations() -> impl Iterator<Item = Operation> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.filter(|(_, operation)| operation["operationId"].is_string()).map(
            move |(method, operation)| Operation {
                id: operation["operationId"].as_str().unwrap(),
                method: method.to_uppercase().parse().unwrap(),
                path,
                tag: operation["tags"][0].as_str().unwrap(),
                security: &operation["security"],
            },
        )
    })
}

#[test]
fn every_operation_has_one_row_and_no_row_is_left_over() {
    let documented: BTreeSet<&str> = operations().map(|operation| operation.id).collect();
    let expected: Vec<&str> = rows().iter().map(|row| row.operation).collect();
    assert_eq!(expected.iter().copied().collect::<BTreeSet<_>>(), documented);
    assert_eq!(expected.len(), documented.len());
}

#[test]
fn the_document_says_what_the_table_says() {
    let rows: BTreeMap<&str, Row> = rows().into_iter().map(|row| (row.operation, row)).collect();
    for Operation { id, security, .. } in operations() {
        let scopes = &security[0]["bearer"];
        match rows[id].needs {
            Needs::Nothing => assert!(security.as_array().is_none_or(Vec::is_empty), "{id}"),
            Needs::Credential => assert_eq!(*scopes, Value::Array(vec![]), "{id}"),
            Needs::Session => assert_eq!(*security, json!([{ "session": [] }]), "{id}"),
            Needs::Permission { known_as, .. } => assert_eq!(scopes[0], known_as, "{id}"),
        }
    }
}

/// One test for each tag of the document, or several where it has many operations, so that they run
/// side by side.
macro_rules! matrix {
    ($($tag:ident { $($part:ident)* })*) => {
        $(
            mod $tag {
                const PARTS: &[&str] = &[$(stringify!($part)),*];

                $(
                    #[tokio::test]
                    async fn $part() {
                        super::check(stringify!($tag), stringify!($part), PARTS).await;
                    }
                )*
            }
        )*

        #[test]
        fn every_tag_is_tested() {
            let tested: BTreeSet<String> =
                [$(stringify!($tag).replace('_', "-")),*].into_iter().collect();
            let documented: BTreeSet<String> =
                operations().map(|operation| operation.tag.to_owned()).collect();
            assert_eq!(tested, documented);
        }
    };
}

matrix! {
    server { all }
    auth { first second third fourth }
    organizations { first second third }
    projects { all }
    environments { first second }
    deployments { all }
    logs { all }
    env_vars { all }
    webhooks { all }
    usage { all }
    audit { all }
}

/// Holds every cell of the rows with a tag against the API: those of one part of its operations,
/// dealt out in turn.
async fn check(tag: &str, part: &str, parts: &[&str]) {
    let api = TestApi::start(&format!("matrix_{tag}_{part}")).await;
    let callers = Callers::new(&api).await;
    let mut presented = callers.lasting().await;
    let elsewhere = World::make(&api).await;
    let elsewhere_only = callers.bound_to(&elsewhere.project).await;
    presented.insert(("reach", 'e'), Presented::bearer(&elsewhere_only));
    callers.people().await;
    presented.extend(callers.tokens(&elsewhere).await);
    let mut single = Vec::new();
    for permission in Permission::ALL {
        single.push((permission, callers.with_only(permission).await));
    }

    let mut scene = Scene { api: &api, watch: api.database.watch(UNWATCHED).await };
    let mut sessions: BTreeMap<char, Presented> = BTreeMap::new();
    let rows: BTreeMap<&str, Row> = rows().into_iter().map(|row| (row.operation, row)).collect();
    let tag = tag.replace('_', "-");
    let of_tag = operations().filter(|operation| operation.tag == tag);
    let dealt = of_tag.zip(parts.iter().cycle()).filter(|(_, whose)| **whose == part);
    for (operation, _) in dealt {
        let row = &rows[operation.id];
        let mut world = World::make(&api).await;
        for column in columns() {
            let expected = row.cells[&column];
            let presented = match column {
                ("reach", 'h') => Presented::bearer(&callers.bound_to(&world.project).await),
                ("session", 'o') => Presented::session(&world.cookie),
                ("session", letter) => {
                    if let Entry::Vacant(none) = sessions.entry(letter) {
                        none.insert(callers.session(letter).await);
                    }
                    sessions[&letter].clone()
                }
                _ => presented[&column].clone(),
            };
            let place = format!("{} by {column:?}", operation.id);
            if scene.ask(&world, &operation, row, &presented, expected, &place).await {
                world = World::make(&api).await;
            }
        }
        if row.needs == Needs::Session {
            // They may have ended.
            sessions.clear();
        }
        if operation.id == "end_own_token" {
            // They have ended.
            presented.extend(callers.tokens(&elsewhere).await);
        }
        for (permission, key) in &single {
            let expected = match row.needs {
                Needs::Credential if row.cells[&("role", 'o')] == Expected::NoToken => {
                    Expected::NoToken
                }
                Needs::Permission { name, .. } if name != permission.name() => Expected::Forbidden,
                Needs::Permission { .. } if row.cells[&("role", 'm')] == Expected::NotYours => {
                    Expected::NotYours
                }
                Needs::Permission { is_enough: false, .. } => Expected::TooNarrow,
                Needs::Permission { .. } => row.cells[&("role", 'o')],
                Needs::Session => Expected::NoPerson,
                Needs::Nothing => row.cells[&("nobody", 'n')],
                Needs::Credential => Expected::Done,
            };
            let place = format!("{} with {permission}", operation.id);
            let presented = Presented::bearer(key);
            if scene.ask(&world, &operation, row, &presented, expected, &place).await {
                world = World::make(&api).await;
            }
        }
    }
}

/// What is written down of every request, refused or not.
const UNWATCHED: &[&str] = &["audit_log", "api_keys.last_used_at", "sessions.last_seen_at"];

/// Where requests are sent, and what is noticed of what they do.
struct Scene<'a> {
    api: &'a TestApi,
    watch: Watch,
}

impl Scene<'_> {
    /// Asks once, and holds the answer and what has changed against what is expected. Tells
    /// whether anything has changed.
    async fn ask(
        &mut self,
        world: &World,
        operation: &Operation,
        row: &Row,
        presented: &Presented,
        expected: Expected,
        place: &str,
    ) -> bool {
        let api = self.api;
        let seen = if expected == Expected::DoneElsewhere {
            Some(world.seen_by_owner(api).await)
        } else {
            None
        };
        // That was to prepare it.
        self.watch.changed().await;
        let answer = send(api, world, operation, presented).await;
        let changed = self.watch.changed().await;
        let has_changed = !changed.is_empty();

        let status = answer.status;
        let place = format!("{place}: {status} {} {changed:?}", answer.body);
        match expected {
            Expected::Done => {
                assert!(status.is_success() || status == StatusCode::SEE_OTHER, "{place}");
                assert_eq!(has_changed, world::changes(&operation.method), "{place}");
            }
            Expected::DoneElsewhere => {
                assert!(status.is_success(), "{place}");
                assert_eq!(Some(world.seen_by_owner(api).await), seen, "{place}");
                assert!(!answer.body.to_string().contains(&world.project), "{place}");
            }
            Expected::Unknown => {
                assert!(status == StatusCode::UNAUTHORIZED && !has_changed, "{place}");
            }
            Expected::Hidden => assert!(status == StatusCode::NOT_FOUND && !has_changed, "{place}"),
            Expected::WrongState => {
                assert!(status == StatusCode::CONFLICT && !has_changed, "{place}");
            }
            Expected::NotYours => {
                assert!(status == StatusCode::FORBIDDEN && !has_changed, "{place}");
                names_what_is_missing(&answer, "members:write", &place);
            }
            Expected::TooNarrow => {
                assert!(status == StatusCode::FORBIDDEN && !has_changed, "{place}");
                assert_eq!(answer.body["code"], "insufficient_scope", "{place}");
            }
            Expected::NoPerson => {
                assert!(status == StatusCode::FORBIDDEN && !has_changed, "{place}");
                assert_eq!(answer.body["code"], "session_required", "{place}");
            }
            Expected::NoToken => {
                assert!(status == StatusCode::FORBIDDEN && !has_changed, "{place}");
                assert_eq!(answer.body["code"], "token_required", "{place}");
            }
            Expected::NotTheAddressee => {
                assert!(status == StatusCode::FORBIDDEN && !has_changed, "{place}");
                assert_eq!(answer.body["code"], "not_the_addressee", "{place}");
            }
            Expected::NotBegun => {
                assert!(status == StatusCode::FORBIDDEN && !has_changed, "{place}");
                assert_eq!(answer.body["code"], "not_begun", "{place}");
            }
            Expected::Unsigned => {
                assert!(status == StatusCode::FORBIDDEN && !has_changed, "{place}");
                assert_eq!(answer.body["code"], "invalid_signature", "{place}");
            }
            Expected::Unfound => {
                assert!(status == StatusCode::UNPROCESSABLE_ENTITY && !has_changed, "{place}");
            }
            Expected::Elsewhere => {
                assert!(status == StatusCode::FORBIDDEN && !has_changed, "{place}");
                assert_eq!(answer.body["code"], "address_not_allowed", "{place}");
            }
            Expected::Forbidden => {
                assert!(status == StatusCode::FORBIDDEN && !has_changed, "{place}");
                let Needs::Permission { known_as, .. } = row.needs else { panic!("{place}") };
                names_what_is_missing(&answer, known_as, &place);
            }
        }
        has_changed
    }
}

async fn send(
    api: &TestApi,
    world: &World,
    operation: &Operation,
    presented: &Presented,
) -> Answer {
    let path = world.path(operation.id, operation.path);
    let request = Request::builder().method(&operation.method).uri(path);
    let request = presented.add_to(request);
    let request = match world.body(operation.id) {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    api.answer(request.unwrap()).await
}

/// A refusal tells people and programs alike which permission is missing.
fn names_what_is_missing(answer: &Answer, name: &str, place: &str) {
    let missing = format!("does not have '{name}' scope");
    let who = ["API key", "Token", "Your role"].map(|who| format!("{who} {missing}"));
    let message = answer.body["message"].as_str().unwrap();
    assert!(who.contains(&message.to_owned()), "{place}");
    let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
    let expected = format!("Bearer error=\"insufficient_scope\", scope=\"{name}\"");
    assert_eq!(challenge, expected, "{place}");
}
