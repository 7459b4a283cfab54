//! Whoever checks a file against the schema comes to the same end as whoever reads it.

use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use windlass_manifest::{json_schema, parse};

use crate::values::{Field, fields};

static SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&json_schema()).unwrap());

/// Fails where the reader and the schema disagree; says what they agree on.
fn agreed(document: &Value) -> bool {
    let read = parse("windlass.yaml", document.to_string());
    let described = SCHEMA.validate(document);
    assert_eq!(read.is_ok(), described.is_ok(), "{document}\n{read:?}\n{described:?}");
    read.is_ok()
}

/// Puts a value where a path says.
fn set(document: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            document.insert(path.to_owned(), value);
        }
        Some((section, name)) => {
            let section = document.entry(section).or_insert_with(|| json!({}));
            if let Some(section) = section.as_object_mut() {
                set(section, name, value);
            }
        }
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_every_value() {
    for Field { path, right, wrong } in fields() {
        for (values, is_right) in [(right, true), (wrong, false)] {
            for value in values {
                let mut document = Map::new();
                set(&mut document, path, value);
                let document = Value::Object(document);
                assert_eq!(agreed(&document), is_right, "{document}");
            }
        }
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_whole_documents() {
    for document in [json!({}), json!(null), json!({ "app": { "port": 1 }, "env": { "A": 1 } })] {
        assert!(agreed(&document), "{document}");
    }
    for document in [
        json!([]),
        json!("app"),
        json!(1),
        json!(true),
        json!({ "build_resources": {} }),
        json!({ "app": { "env": {} } }),
        json!({ "": {} }),
    ] {
        assert!(!agreed(&document), "{document}");
    }
}

#[test]
fn the_schema_is_one_of_draft_2020_12_and_describes_every_field() {
    assert!(jsonschema::draft202012::meta::is_valid(&json_schema()));
    let schema = json_schema();
    for Field { path, .. } in fields() {
        let pointer = format!("/properties/{}", path.replace('.', "/properties/"));
        let field = schema.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}"));
        assert!(field["description"].as_str().is_some_and(|text| text.ends_with('.')), "{path}");
    }
}

fn document() -> impl Strategy<Value = Value> {
    let fields: Vec<_> = fields()
        .into_iter()
        .map(|Field { path, right, wrong }| {
            let value = prop_oneof![
                6 => Just(None),
                12 => prop::sample::select(right).prop_map(Some),
                1 => prop::sample::select(wrong).prop_map(Some),
                1 => anything().prop_map(Some),
            ];
            value.prop_map(move |value| (path, value))
        })
        .collect();
    fields.prop_map(|fields| {
        let mut document = Map::new();
        for (path, value) in fields {
            if let Some(value) = value {
                set(&mut document, path, value);
            }
        }
        Value::Object(document)
    })
}

/// Any small JSON, with text that looks like what a field wants.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-10.0..2_000.0).prop_map(|number: f64| Value::from(number)),
        "[0-9]{1,8}(m|Mi|MB|Gi|GB|s|h|)".prop_map(Value::from),
        "[ -~éα\\n\\t]{0,12}".prop_map(Value::from),
        "[./a-]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[A-Za-z_]{1,3}|port|cpu|PORT", inner, 0..3)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn the_schema_and_the_reader_agree_on_any_document(document in document()) {
        agreed(&document);
    }

    #[test]
    fn the_schema_and_the_reader_agree_on_anything_in_one_field(
        path in prop::sample::select(fields().into_iter().map(|field| field.path).collect::<Vec<_>>()),
        value in anything(),
    ) {
        let mut document = Map::new();
        set(&mut document, path, value);
        agreed(&Value::Object(document));
    }
}
