//! Holds answers against the API's description: nothing may be answered that it does not say.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use axum::http::{HeaderMap, Method, StatusCode, header};
use jsonschema::Validator;
use serde_json::{Value, json};

/// The document, as a client sees it.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(windlass_http::openapi()).expect("a document"));

static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Fails for an answer that is not in the document.
pub(crate) fn check(
    method: &Method,
    path: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &Value,
) {
    assert!(headers.contains_key("x-request-id"), "{method} {path}: no request id");
    let Some(operation) = operation(method, path) else {
        let is_refused =
            status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED;
        if is_refused {
            assert!(is_error(body), "{method} {path}: {body}");
        }
        return;
    };
    let place = format!("{method} {path}: {status}");
    let response = &operation["responses"][status.as_str()];
    assert!(response.is_object(), "{place} is not documented: {body}");
    let response = resolve(response);
    let Some(content) = response["content"].as_object() else {
        assert_eq!(body, &Value::Null, "{place} has a body, which is not documented");
        return;
    };
    let media_type = headers[header::CONTENT_TYPE].to_str().expect("a media type");
    let media_type = media_type.split(';').next().unwrap_or_default();
    let content = content.get(media_type).unwrap_or_else(|| panic!("{place}: {media_type}"));
    validate(&content["schema"], body, &place);
}

/// Fails where an instance is not what a schema of the document describes.
pub(crate) fn validate(schema: &Value, instance: &Value, place: &str) {
    let key = schema.to_string();
    let validator = VALIDATORS.lock().expect("no test holds it").get(&key).cloned();
    let validator = validator.unwrap_or_else(|| {
        let mut schema = schema.clone();
        schema["components"] = DOCUMENT["components"].clone();
        let made = jsonschema::draft202012::new(&schema);
        let made = Arc::new(made.unwrap_or_else(|err| panic!("{place}: {err}")));
        VALIDATORS.lock().expect("no test holds it").insert(key, made.clone());
        made
    });
    let errors: Vec<String> = validator
        .iter_errors(instance)
        .map(|err| format!("{} at {}", err, err.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{place}: {errors:?} in {instance}");
}

/// Follows a reference.
pub(crate) fn resolve(value: &Value) -> &Value {
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => DOCUMENT.pointer(pointer).expect("references lead somewhere"),
        None => value,
    }
}

/// Whether a body is that of an error.
pub(crate) fn is_error(body: &Value) -> bool {
    let texts = ["error", "message", "code", "request_id"];
    texts.iter().all(|name| body[name].as_str().is_some_and(|text| !text.is_empty()))
}

/// Every operation: its path, its method and its description.
pub(crate) fn operations() -> &'static [(String, String, Value)] {
    &OPERATIONS
}

static OPERATIONS: LazyLock<Vec<(String, String, Value)>> = LazyLock::new(|| {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().expect("a path item");
            item.iter()
                .map(|(method, operation)| (path.clone(), method.to_uppercase(), operation.clone()))
        })
        .collect()
});

fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    operations()
        .iter()
        .find(|(template, known, _)| known == method.as_str() && fits(template, path))
        .map(|(_, _, operation)| operation)
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(known, given)| (known.starts_with('{') && !given.is_empty()) || *known == given)
}

#[test]
#[should_panic(expected = "is not documented")]
fn an_undocumented_status_is_noticed() {
    let mut headers = HeaderMap::new();
    headers.insert("x-request-id", "test".parse().unwrap());
    check(&Method::GET, "/healthz", StatusCode::IM_A_TEAPOT, &headers, &json!({}));
}
