//! The API's document as a list of everything that can be said to the server.

use reqwest::Method;
use serde_json::{Map, Value, json};

const DOCUMENT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/windlass.json"));

/// What stands in a body where a value is to be put.
const HOLE: &str = "@hole@";
/// What stands in a body for the second member of the same name.
const AGAIN: &str = "@again@";

/// One operation, with everything that it can be given.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: Method,
    /// Whether it takes a person who has signed in.
    pub(super) is_for_people: bool,
    path: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
}

/// Something in a request's head.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) place: Place,
    pub(super) name: String,
    /// For an identifier, the word that it begins with.
    pub(super) prefix: String,
}

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
}

/// A JSON body.
#[derive(Debug)]
pub(super) struct Body {
    /// One that is taken.
    pub(super) good: Value,
    /// Every property, those of objects and items inside among them, and one more for each object.
    pub(super) fields: Vec<Field>,
}

/// A place in a body.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) pointer: String,
    /// What the document says about it; nothing where it is not in there.
    schema: Value,
}

/// What a good body says, where the document's examples are not enough or do too much.
fn adjusted(operation: &str) -> Value {
    match operation {
        "create_project" => json!({ "git_url": "https://git.example.com/x.git" }),
        // Nothing is built from a branch that is not there.
        "create_environment" => json!({ "branch": "absent" }),
        // Nobody may widen what is tried next by signing it.
        "create_token" => json!({ "permissions": [] }),
        "create_invitation" => json!({ "role": "viewer" }),
        // There is nobody but the owner.
        "set_member_role" => json!({ "role": "owner" }),
        _ => json!({}),
    }
}

/// Every operation of the API but those that lead a browser to GitHub and back, and what takes the
/// signature of a forge: they are attacked beside their own tests, where there is one.
pub(super) fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        let is_tried = |operation: &&Value| {
            let id = operation["operationId"].as_str().unwrap();
            !["begin_github_sign_in", "sign_in_with_github", "receive_webhook"].contains(&id)
        };
        methods
            .filter(move |(_, operation)| is_tried(operation))
            .map(|(method, operation)| Operation::read(&document, path, method, operation))
    });
    all.collect()
}

impl Operation {
    fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let body = operation.get("requestBody").map(|body| {
            let schema = &body["content"]["application/json"]["schema"];
            Body::read(document, schema, &adjusted(&id))
        });
        Self {
            method: method.to_uppercase().parse().unwrap(),
            is_for_people: operation["security"] == json!([{ "session": [] }]),
            path: path.to_owned(),
            // Any name will do for a request, and the request would be carried out.
            parameters: parameters
                .filter(|parameter| parameter["name"] != "Idempotency-Key")
                .map(Parameter::read)
                .collect(),
            body,
            id,
        }
    }

    /// Its path, with these values in it.
    pub(super) fn path(&self, value: impl Fn(&Parameter) -> String) -> String {
        let parameters = self.parameters.iter().filter(|it| it.place == Place::Path);
        parameters.fold(self.path.clone(), |path, parameter| {
            path.replace(&format!("{{{}}}", parameter.name), &value(parameter))
        })
    }

    /// Whether what it takes can be read back as it was sent: not where it gives away what is not
    /// stored, or answers in another spelling.
    pub(super) fn reads_back(&self) -> bool {
        let once =
            ["create_token", "norrix_create_api_key", "create_invitation", "rotate_webhook_secret"];
        self.is_for_good() && !once.contains(&self.id.as_str())
    }

    /// Whether there is a body that it takes again and again: not where it ends what it
    /// is about, names what is only known later, or is not for keys.
    pub(super) fn is_for_good(&self) -> bool {
        let others = [
            "revoke_presented_token",
            "rotate_api_key",
            "create_link",
            "create_organization",
            "accept_invitation",
            "register_by_invitation",
            "exchange_login_code",
            "end_own_token",
        ];
        !others.contains(&self.id.as_str())
    }

    /// Whether it counts how often a password or a secret is tried, so that soon nothing else is
    /// refused: its own tests try the fields of its body.
    pub(super) fn counts_attempts(&self) -> bool {
        ["login", "set_up", "change_password"].contains(&self.id.as_str())
    }

    /// Whether it shows what is stored.
    pub(super) fn shows(&self) -> bool {
        // The audit log grows by whatever is refused, which is what it is for.
        let is_log = self.path == "/api/audit";
        self.method == Method::GET && self.path.starts_with("/api/") && !is_log
    }
}

impl Parameter {
    fn read(parameter: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let pattern = text(&parameter["schema"]["pattern"]);
        let prefix = pattern.trim_start_matches('^').split('_').next().unwrap_or_default();
        Self {
            place: match parameter["in"].as_str() {
                Some("path") => Place::Path,
                Some("query") => Place::Query,
                Some("header") => Place::Header,
                other => panic!("parameters in {other:?} are not tried yet"),
            },
            name: text(&parameter["name"]),
            prefix: prefix.to_owned(),
        }
    }
}

impl Body {
    fn read(document: &Value, schema: &Value, adjusted: &Value) -> Self {
        let schema = resolve(document, schema);
        let required = schema["required"].as_array().into_iter().flatten();
        let mut good: Map<String, Value> = required
            .map(|name| name.as_str().unwrap())
            .map(|name| (name.to_owned(), schema["properties"][name]["example"].clone()))
            .collect();
        good.extend(adjusted.as_object().cloned().unwrap());
        let mut fields = Vec::new();
        walk(document, &schema, "", &mut fields);
        Self { good: Value::Object(good), fields }
    }

    /// The good body with something else in one field.
    pub(super) fn with(&self, field: &Field, json: &[u8]) -> Vec<u8> {
        let mut body = self.good.clone();
        field.set(&mut body, json!(HOLE));
        replace(&body, HOLE, json)
    }

    /// The good body with one member twice; items of arrays have no name to repeat.
    pub(super) fn with_twice(&self, field: &Field) -> Option<Vec<u8>> {
        let (parent, name) = field.pointer.rsplit_once('/')?;
        if name == "0" {
            return None;
        }
        let mut body = self.good.clone();
        field.set(&mut body, Value::Null);
        let members = body.pointer_mut(parent)?.as_object_mut()?;
        members.insert(AGAIN.to_owned(), Value::Null);
        Some(replace(&body, AGAIN, json!(name).to_string().as_bytes()))
    }
}

/// Puts bytes into JSON where a text stands.
fn replace(body: &Value, text: &str, with: &[u8]) -> Vec<u8> {
    let body = body.to_string();
    let (before, after) = body.split_once(&format!("\"{text}\"")).unwrap();
    [before.as_bytes(), with, after.as_bytes()].concat()
}

impl Field {
    /// The name of its own, that of the whole for an item.
    pub(super) fn name(&self) -> &str {
        self.pointer.trim_end_matches("/0").rsplit('/').next().unwrap()
    }

    /// The name under which the body has it or what it is in.
    pub(super) fn member(&self) -> &str {
        self.pointer.split('/').nth(1).unwrap()
    }

    /// Whether the document allows a type here.
    pub(super) fn is(&self, wanted: &str) -> bool {
        let types = &self.schema["type"];
        types == wanted || types.as_array().is_some_and(|types| types.contains(&json!(wanted)))
    }

    /// The least and the greatest number, and those beyond.
    pub(super) fn edges(&self) -> impl Iterator<Item = f64> + use<> {
        let edge = |name: &str| self.schema[name].as_f64();
        let (least, most) = (edge("minimum"), edge("maximum"));
        let beyond = [least.map(|least| least - 1.0), most.map(|most| most + 1.0)];
        [least, most].into_iter().chain(beyond).flatten()
    }

    /// Whether the document allows a number here.
    pub(super) fn takes_number(&self, number: f64) -> bool {
        let fits = self.is("number") || (self.is("integer") && number.fract() == 0.0);
        fits && self.schema["minimum"].as_f64().is_none_or(|least| least <= number)
            && self.schema["maximum"].as_f64().is_none_or(|most| number <= most)
    }

    /// Puts a value here, with everything around it that is missing.
    fn set(&self, body: &mut Value, value: Value) {
        let mut place = body;
        for step in self.pointer.split('/').skip(1) {
            if step == "0" {
                *place = json!([null]);
                place = &mut place[0];
            } else {
                place = &mut place[step];
            }
        }
        *place = value;
    }
}

fn walk(document: &Value, schema: &Value, pointer: &str, fields: &mut Vec<Field>) {
    let schema = resolve(document, schema);
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            walk(document, property, &format!("{pointer}/{name}"), fields);
        }
        fields.push(Field { pointer: format!("{pointer}/nonsense"), schema: Value::Null });
    }
    if schema["items"].is_object() {
        walk(document, &schema["items"], &format!("{pointer}/0"), fields);
    }
    if !pointer.is_empty() {
        fields.push(Field { pointer: pointer.to_owned(), schema });
    }
}

/// A schema that refers to no other; what may be `null` has it among its types.
fn resolve(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return resolve(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let [choice, null] = choices.as_slice() else { panic!("not tried yet: {schema}") };
        assert_eq!(null["type"], "null", "not tried yet: {schema}");
        let mut schema = resolve(document, choice);
        schema["type"] = json!([schema["type"], "null"]);
        return schema;
    }
    assert!(!schema["type"].is_null(), "not tried yet: {schema}");
    schema.clone()
}
