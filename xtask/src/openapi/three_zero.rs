//! An OpenAPI 3.1 document in the words of 3.0. What 3.0 has no words for is an error, so that the
//! rendering never says less than it seems to.

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value, json};

/// Every keyword of a schema in OpenAPI 3.0.
const KEYWORDS: &[&str] = &[
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "enum",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "properties",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
    "xml",
];

type Fields = Map<String, Value>;

/// Renders a document.
pub(super) fn render(mut document: Value) -> anyhow::Result<Value> {
    let fields = document.as_object_mut().context("a document is an object")?;
    let version = fields.insert("openapi".to_owned(), json!("3.0.3"));
    ensure!(
        version.as_ref().and_then(Value::as_str).is_some_and(|version| version.starts_with("3.1.")),
        "it is not OpenAPI 3.1"
    );
    ensure!(!fields.contains_key("webhooks"), "`webhooks` has no counterpart");
    fields.remove("jsonSchemaDialect");
    if let Some(info) = fields.get_mut("info").and_then(Value::as_object_mut) {
        info.remove("summary");
        if let Some(license) = info.get_mut("license").and_then(Value::as_object_mut) {
            license.remove("identifier");
        }
    }
    let with_scopes = schemes_with_scopes(&document);
    node(&mut document, &with_scopes)?;
    Ok(document)
}

/// The security schemes whose requirements list scopes. Those of all others are empty in 3.0.
fn schemes_with_scopes(document: &Value) -> Vec<String> {
    let schemes = document.pointer("/components/securitySchemes").and_then(Value::as_object);
    let has_scopes =
        |scheme: &Value| matches!(scheme["type"].as_str(), Some("oauth2" | "openIdConnect"));
    let named = schemes.into_iter().flatten().filter(|(_, scheme)| has_scopes(scheme));
    named.map(|(name, _)| name.clone()).collect()
}

/// Goes through everything that is not a schema, down to the schemas.
fn node(value: &mut Value, with_scopes: &[String]) -> anyhow::Result<()> {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    "example" | "examples" => Ok(()),
                    "schema" => schema(value),
                    "schemas" => each(value, schema),
                    "security" => {
                        forget_permissions(value, with_scopes);
                        Ok(())
                    }
                    _ => node(value, with_scopes),
                }
                .with_context(|| key.clone())?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| node(item, with_scopes)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Which permission an operation needs is in its description, too.
fn forget_permissions(requirements: &mut Value, with_scopes: &[String]) {
    let requirements = requirements.as_array_mut().into_iter().flatten();
    for (scheme, scopes) in requirements.filter_map(Value::as_object_mut).flatten() {
        if !with_scopes.contains(scheme) {
            *scopes = json!([]);
        }
    }
}

fn schema(value: &mut Value) -> anyhow::Result<()> {
    let fields = match value {
        Value::Object(fields) => fields,
        Value::Bool(true) => {
            *value = json!({});
            return Ok(());
        }
        Value::Bool(false) => {
            *value = json!({ "not": {} });
            return Ok(());
        }
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            bail!("a schema is an object")
        }
    };
    say_null(fields)?;
    say_constants(fields);
    say_limits(fields);
    say_binary(fields);
    for key in ["items", "not"] {
        fields.get_mut(key).map_or(Ok(()), schema).context(key)?;
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        let parts = fields.get_mut(key).and_then(Value::as_array_mut);
        parts.into_iter().flatten().try_for_each(schema).context(key)?;
    }
    if let Some(more) = fields.get_mut("additionalProperties").filter(|more| more.is_object()) {
        schema(more).context("additionalProperties")?;
    }
    fields.get_mut("properties").map_or(Ok(()), |properties| each(properties, schema))?;
    say_reference(fields);
    // Names are strings anyway.
    if fields.get("propertyNames") == Some(&json!({ "type": "string" })) {
        fields.remove("propertyNames");
    }
    for key in fields.keys() {
        let is_known = KEYWORDS.contains(&key.as_str()) || key.starts_with("x-");
        ensure!(is_known, "`{key}` has no counterpart");
    }
    Ok(())
}

fn each(values: &mut Value, render: fn(&mut Value) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut values = values.as_object_mut().into_iter().flatten();
    values.try_for_each(|(key, value)| render(value).with_context(|| key.clone()))
}

/// `null` is not a type but a property of one.
fn say_null(fields: &mut Fields) -> anyhow::Result<()> {
    let mut nullable = false;
    if let Some(types) = fields.get("type").and_then(Value::as_array) {
        let others: Vec<_> = types.iter().filter(|name| *name != "null").cloned().collect();
        nullable = others.len() < types.len();
        let [one] = <[Value; 1]>::try_from(others)
            .map_err(|others| anyhow::anyhow!("{} types have no counterpart", others.len()))?;
        fields.insert("type".to_owned(), one);
    }
    ensure!(fields.get("type") != Some(&json!("null")), "`null` alone has no counterpart");
    for key in ["anyOf", "oneOf"] {
        let Some(parts) = fields.get_mut(key).and_then(Value::as_array_mut) else { continue };
        let before = parts.len();
        parts.retain(|part| part.get("type") != Some(&json!("null")));
        if parts.len() == before {
            continue;
        }
        nullable = true;
        if parts.len() == 1
            && !fields.contains_key("allOf")
            && let Some(one) = fields.remove(key)
        {
            fields.insert("allOf".to_owned(), one);
        }
    }
    if nullable {
        fields.insert("nullable".to_owned(), json!(true));
    }
    Ok(())
}

/// One value is an enumeration of one; one example has its own word.
fn say_constants(fields: &mut Fields) {
    if let Some(constant) = fields.remove("const") {
        fields.insert("enum".to_owned(), json!([constant]));
    }
    let examples = fields.remove("examples");
    let first = examples.and_then(|mut examples| examples.get_mut(0).map(Value::take));
    if let Some(example) = first {
        fields.entry("example").or_insert(example);
    }
}

/// An exclusive limit is a limit and a flag.
fn say_limits(fields: &mut Fields) {
    for (exclusive, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(value) = fields.get(exclusive).filter(|value| value.is_number()).cloned() {
            fields.insert(limit.to_owned(), value);
            fields.insert(exclusive.to_owned(), json!(true));
        }
    }
}

/// Bytes are a format of strings.
fn say_binary(fields: &mut Fields) {
    let is_encoded = fields.remove("contentEncoding").is_some();
    let is_binary = fields.remove("contentMediaType").is_some();
    if is_encoded || is_binary {
        fields.entry("type").or_insert(json!("string"));
        fields.insert("format".to_owned(), json!(if is_encoded { "byte" } else { "binary" }));
    }
}

/// What stands beside a reference would not be read.
fn say_reference(fields: &mut Fields) {
    if 1 < fields.len()
        && !fields.contains_key("allOf")
        && let Some(target) = fields.remove("$ref")
    {
        fields.insert("allOf".to_owned(), json!([{ "$ref": target }]));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::workspace;

    /// One schema, rendered.
    fn rendered(mut value: Value) -> Value {
        schema(&mut value).unwrap();
        value
    }

    fn fault(mut value: Value) -> String {
        format!("{:#}", schema(&mut value).unwrap_err())
    }

    #[test]
    fn a_type_that_may_be_null_is_nullable() {
        let schema = json!({ "type": ["string", "null"], "maxLength": 9 });
        let wanted = json!({ "type": "string", "nullable": true, "maxLength": 9 });
        assert_eq!(rendered(schema), wanted);
    }

    #[test]
    fn a_reference_that_may_be_null_is_nullable() {
        let schema = json!({ "oneOf": [{ "$ref": "#/x" }, { "type": "null" }] });
        assert_eq!(rendered(schema), json!({ "allOf": [{ "$ref": "#/x" }], "nullable": true }));
    }

    #[test]
    fn a_choice_of_several_stays_one_when_it_may_be_null() {
        let schema = json!({ "oneOf": [{ "$ref": "#/x" }, { "$ref": "#/y" }, { "type": "null" }] });
        let wanted = json!({ "oneOf": [{ "$ref": "#/x" }, { "$ref": "#/y" }], "nullable": true });
        assert_eq!(rendered(schema), wanted);
    }

    #[test]
    fn a_description_beside_a_reference_is_kept() {
        let schema = json!({ "$ref": "#/x", "description": "The one." });
        let wanted = json!({ "allOf": [{ "$ref": "#/x" }], "description": "The one." });
        assert_eq!(rendered(schema), wanted);
        assert_eq!(rendered(json!({ "$ref": "#/x" })), json!({ "$ref": "#/x" }));
    }

    #[test]
    fn a_constant_is_the_only_value_of_an_enumeration() {
        let wanted = json!({ "type": "string", "enum": ["all"] });
        assert_eq!(rendered(json!({ "type": "string", "const": "all" })), wanted);
    }

    #[test]
    fn the_first_example_is_the_example() {
        let wanted = json!({ "type": "integer", "example": 3 });
        assert_eq!(rendered(json!({ "type": "integer", "examples": [3, 4] })), wanted);
    }

    #[test]
    fn an_exclusive_limit_is_a_limit_and_a_flag() {
        let wanted = json!({ "type": "number", "minimum": 0, "exclusiveMinimum": true });
        assert_eq!(rendered(json!({ "type": "number", "exclusiveMinimum": 0 })), wanted);
    }

    #[test]
    fn bytes_are_a_format_of_strings() {
        let wanted = json!({ "type": "string", "format": "binary" });
        assert_eq!(rendered(json!({ "contentMediaType": "application/octet-stream" })), wanted);
    }

    #[test]
    fn schemas_are_found_however_deep() {
        let nullable = json!({ "type": ["string", "null"] });
        let schema = json!({
            "allOf": [{ "properties": { "a": { "items": nullable } } }],
            "additionalProperties": { "not": nullable },
        });
        let nullable = json!({ "type": "string", "nullable": true });
        let wanted = json!({
            "allOf": [{ "properties": { "a": { "items": nullable } } }],
            "additionalProperties": { "not": nullable },
        });
        assert_eq!(rendered(schema), wanted);
    }

    #[test]
    fn what_has_no_counterpart_is_a_fault_that_says_where() {
        let tuple = json!({ "properties": { "pair": { "prefixItems": [] } } });
        assert_eq!(fault(tuple), "pair: `prefixItems` has no counterpart");
        assert_eq!(fault(json!({ "type": ["string", "integer"] })), "2 types have no counterpart");
        assert_eq!(fault(json!({ "type": "null" })), "`null` alone has no counterpart");
    }

    #[test]
    fn examples_are_left_as_they_are() {
        let answer = json!({ "example": { "schema": { "type": ["a", "null"] } } });
        let document = json!({ "openapi": "3.1.0", "paths": { "/a": answer.clone() } });
        assert_eq!(render(document).unwrap()["paths"]["/a"], answer);
    }

    #[test]
    fn only_schemes_with_scopes_list_them() {
        let document = json!({
            "openapi": "3.1.0",
            "components": { "securitySchemes": { "key": { "type": "http" }, "sso": { "type": "oauth2" } } },
            "security": [{ "key": ["read"] }, { "sso": ["read"] }],
        });
        let rendered = render(document).unwrap();
        assert_eq!(rendered["security"], json!([{ "key": [] }, { "sso": ["read"] }]));
    }

    #[test]
    fn another_version_is_refused() {
        assert!(render(json!({ "openapi": "3.0.3" })).is_err());
    }

    #[test]
    fn a_parser_of_3_0_accepts_the_api() {
        let text = fs::read_to_string(workspace::root().join("openapi/windlass.json")).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let count = document["paths"].as_object().unwrap().len();
        let rendered = render(document).unwrap();
        let parsed: openapiv3::OpenAPI = serde_json::from_value(rendered).unwrap();
        assert_eq!(parsed.paths.paths.len(), count);
        let any = parsed.components.unwrap().schemas.into_iter().find(|(_, schema)| {
            let kind = schema.as_item().map(|schema| &schema.schema_kind);
            // What the parser does not understand becomes this.
            matches!(kind, Some(openapiv3::SchemaKind::Any(_)))
        });
        assert_eq!(any, None);
    }
}
