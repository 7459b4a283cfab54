//! The JSON Schema of the file, for editors.

use serde_json::{Map, Value, json};

use crate::{
    fields::{Section, Variables, Visitor},
    kind::{Kind, variable},
    manifest::Manifest,
};

/// The JSON Schema (draft 2020-12) of the file, for editors and checks elsewhere.
///
/// It accepts what [`parse`](crate::parse) accepts, with two exceptions: a schema counts a text's
/// length in characters instead of bytes, and knows nothing of how the text is written as YAML.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = section(&mut Manifest::default());
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "windlass.yaml".into();
    schema["description"] =
        "How a repository is built and run. What it sets wins over the project's settings.".into();
    schema
}

/// A section may be empty: all of its lines may be comments.
fn section(section: &mut impl Section) -> Value {
    let mut properties = Properties::default();
    section.fields(&mut properties);
    json!({
        "type": ["object", "null"],
        "properties": properties.0,
        "additionalProperties": false,
    })
}

#[derive(Default)]
struct Properties(Map<String, Value>);

impl Properties {
    fn add(&mut self, name: &'static str, about: &'static str, mut schema: Value) {
        schema["description"] = about.into();
        self.0.insert(name.to_owned(), schema);
    }
}

impl Visitor for Properties {
    fn value<V>(
        &mut self,
        name: &'static str,
        about: &'static str,
        kind: &impl Kind<V>,
        _: &mut Option<V>,
    ) {
        self.add(name, about, kind.schema());
    }

    fn section(&mut self, name: &'static str, about: &'static str, place: &mut impl Section) {
        self.add(name, about, section(place));
    }

    fn variables(&mut self, name: &'static str, about: &'static str, _: &mut Variables) {
        let mut schema = variable::schema();
        schema["type"] = json!(["object", "null"]);
        self.add(name, about, schema);
    }
}
