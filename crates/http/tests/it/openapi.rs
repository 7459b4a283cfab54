//! The API's description: checked in, complete, and true to its own examples.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use windlass_auth::{KeyFormat, Scope};

use crate::contract::{DOCUMENT, operations, resolve, validate};

fn text() -> String {
    windlass_http::openapi().to_pretty_json().unwrap() + "\n"
}

fn place() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/windlass.json")
}

/// Fails when the document is stale; run `cargo xtask openapi` then.
#[test]
fn the_checked_in_document_is_current() {
    let checked_in = fs::read_to_string(place()).unwrap_or_default();
    assert!(checked_in == text(), "openapi/windlass.json is stale: run `cargo xtask openapi`");
}

#[test]
fn the_document_introduces_itself() {
    assert!(DOCUMENT["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(DOCUMENT["info"]["title"], "Windlass");
    assert_eq!(DOCUMENT["info"]["license"]["identifier"], "Apache-2.0");
    assert!(DOCUMENT["info"]["description"].as_str().unwrap().contains("X-Request-Id"));
    assert_eq!(DOCUMENT["servers"][0]["url"], "/");
}

#[test]
fn every_operation_is_described_and_has_its_row_in_the_table() {
    let rows = windlass_http::permissions();
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.operation_id.as_str()).collect();
    assert_eq!(ids.len(), rows.len(), "operation ids are unique");
    assert_eq!(operations().len(), rows.len());

    for (path, method, operation) in operations() {
        let row = rows.iter().find(|row| row.path == *path && row.method == method);
        let row = row.unwrap_or_else(|| panic!("{method} {path} has no row"));
        assert_eq!(operation["operationId"], row.operation_id.as_str());
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{method} {path}");
        assert!(operation["summary"].as_str().unwrap().ends_with(['.', ')']), "{method} {path}");

        let text = operation["description"].as_str().unwrap();
        let security = operation["security"].as_array().unwrap();
        assert_eq!(row.needs_credential, !security.is_empty(), "{method} {path}");
        if let Some(permission) = row.permission {
            assert!(text.contains(&format!("`{permission}`")), "{method} {path}: {text}");
            let scope = row.scope.unwrap();
            assert!(scope.permissions().contains(permission));
            assert!(text.contains(&format!("`{scope}`")), "{method} {path}: {text}");
            assert_eq!(security[0]["bearer"][0], scope.name());
            let lacking = &operation["responses"]["403"]["content"]["application/json"]["example"];
            assert_eq!(lacking["message"], format!("API key does not have '{scope}' scope"));
        }
    }
}

#[test]
fn only_these_operations_need_no_permission() {
    let rows = windlass_http::permissions();
    let open = |needs_credential: bool| -> Vec<&str> {
        rows.iter()
            .filter(|row| row.permission.is_none() && row.needs_credential == needs_credential)
            .map(|row| row.operation_id.as_str())
            .collect()
    };
    assert_eq!(
        open(false),
        [
            "get_health",
            "check_readiness",
            "login",
            "set_up",
            "begin_github_sign_in",
            "sign_in_with_github",
            "exchange_login_code",
            "register_by_invitation",
            "receive_webhook",
            "get_openapi"
        ]
    );
    let for_people =
        ["logout", "list_sessions", "end_session", "change_password", "accept_invitation"];
    let others = ["whoami", "end_own_token"];
    let mut known: Vec<&str> = open(true);
    known.retain(|operation| !others.contains(operation));
    assert_eq!(known, for_people);
    assert_eq!(open(true).len(), others.len() + for_people.len());
    let by_session = rows.iter().filter(|row| row.needs_session);
    let by_session: Vec<&str> = by_session.map(|row| row.operation_id.as_str()).collect();
    assert_eq!(by_session, for_people);
}

#[test]
fn permissions_go_by_coarse_names_where_clients_of_norrix_look_and_nowhere_else() {
    for row in windlass_http::permissions() {
        let coarse = match row.path.as_str() {
            "/api/api-keys" => Some(Scope::Admin),
            _ => row.permission.map(Scope::Permission),
        };
        assert_eq!(row.scope, coarse, "{} {}", row.method, row.path);
    }
}

#[test]
fn every_parameter_and_body_has_what_a_client_needs() {
    for (path, method, operation) in operations() {
        for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
            let parameter = resolve(parameter);
            let name = &parameter["name"];
            assert!(parameter["description"].is_string(), "{method} {path}: {name}");
            assert!(
                parameter["in"] != "path" || parameter["example"].is_string(),
                "{method} {path}: {name} has no example"
            );
        }
    }
}

#[test]
fn examples_are_what_their_schemas_say() {
    let mut count = 0;
    walk(&DOCUMENT, "", &mut |value, place| {
        let Some(example) = value.get("example").filter(|_| !place.ends_with("/properties")) else {
            return;
        };
        let mut schema = value.get("schema").unwrap_or(value).clone();
        schema.as_object_mut().unwrap().remove("example");
        validate(&schema, example, place);
        count += 1;
    });
    assert!(60 < count, "only {count} examples");
}

#[test]
fn the_example_of_a_key_has_the_form_of_one() {
    let schemas = &DOCUMENT["components"]["schemas"];
    let mut examples = Vec::new();
    walk(schemas, "", &mut |value, place| {
        if place.ends_with("/properties/key") || place.ends_with("/properties/prefix") {
            examples.push(value["example"].as_str().unwrap().to_owned());
        }
    });
    let is_of_key = |text: &&String| text.starts_with("wls_");
    let key = examples.iter().filter(is_of_key).max_by_key(|text| text.len()).unwrap();
    assert!(KeyFormat::default().parse(key).is_some(), "{key}");
    for prefix in examples.iter().filter(is_of_key).filter(|text| *text != key) {
        assert!(key.starts_with(prefix.as_str()) && prefix.len() == "wls_".len() + 8, "{prefix}");
    }
}

fn walk(value: &Value, place: &str, visit: &mut impl FnMut(&Value, &str)) {
    match value {
        Value::Object(members) => {
            visit(value, place);
            for (name, member) in members.iter().filter(|(name, _)| *name != "example") {
                walk(member, &format!("{place}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{place}/{index}"), visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
