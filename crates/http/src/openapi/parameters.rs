//! What every parameter of a name has in common, said once.

use utoipa::openapi::{
    KnownFormat, ObjectBuilder, RefOr, Required, Schema, SchemaFormat, Type,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    schema::{AnyOfBuilder, SchemaType},
};

use super::ORGANIZATION_PARAMETER;
use crate::audit::list::{ACTORS, TARGETS};

/// Which organization is meant.
pub(crate) fn organization() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(identifier("org")));
    ParameterBuilder::new()
        .name(ORGANIZATION_PARAMETER)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(
            "The organization that is meant: one of the person's with a session (their first where \
             it is absent), its own with a key or token",
        ))
        .schema(Some(text))
        .build()
}

/// Completes the parameters of an operation.
pub(crate) fn complete(path: &str, operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            without_null(parameter);
            specify(parameter, path);
        }
    }
}

/// What may be left out is not `null` either: in an address, that is a text.
fn without_null(parameter: &mut Parameter) {
    if let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema
        && let SchemaType::Array(types) = &mut schema.schema_type
    {
        types.retain(|found| !matches!(found, Type::Null));
        if let [only] = types.as_slice() {
            schema.schema_type = SchemaType::Type(only.clone());
        }
    }
}

fn specify(parameter: &mut Parameter, path: &str) {
    let (description, pattern) = match (&parameter.parameter_in, parameter.name.as_str()) {
        (ParameterIn::Path, name) => (None, collection_before(path, name).map(identifier)),
        (ParameterIn::Query, "actor") => (None, Some(one_of(&ACTORS))),
        (ParameterIn::Query, "target") => (None, Some(one_of(&TARGETS))),
        (ParameterIn::Query, "cursor" | "id") => {
            (None, path.rsplit('/').next().and_then(prefix_in).map(identifier))
        }
        (ParameterIn::Query, "from" | "to") => {
            parameter.schema = Some(date_or_date_time());
            (None, None)
        }
        (ParameterIn::Header, "If-Match") => (
            Some("The `ETag` of the resource as the client knows it, or `*`"),
            Some(r#"^(\*|(W/)?("[0-9a-z.]+"|[0-9][0-9a-f.]*))$"#.to_owned()),
        ),
        (ParameterIn::Header, "If-None-Match") => (
            Some("The `ETag` of what the client has already"),
            Some(
                r#"^(\*|(W/)?("[0-9a-z.]+"|[0-9][0-9a-f.]*)(, (W/)?("[0-9a-z.]+"|[0-9][0-9a-f.]*))*)$"#
                    .to_owned(),
            ),
        ),
        (ParameterIn::Header, "Last-Event-ID") => (
            Some("The number of the last line that the client has; wins over `after_seq`"),
            Some("^[0-9]{0,15}$".to_owned()),
        ),
        (ParameterIn::Query, _) if is_free_text(parameter.schema.as_ref()) => {
            (None, Some(r"^[^\u0000-\u001f\u007f-\u009f\ufffd]*$".to_owned()))
        }
        _ => (None, None),
    };
    if let Some(description) = description {
        parameter.description = Some(description.to_owned());
    }
    if let (Some(pattern), Some(RefOr::T(Schema::Object(schema)))) =
        (pattern, &mut parameter.schema)
    {
        schema.pattern = Some(pattern);
    }
}

/// Whether nothing says what a text looks like: then it is one without control characters.
fn is_free_text(schema: Option<&RefOr<Schema>>) -> bool {
    let Some(RefOr::T(Schema::Object(schema))) = schema else { return false };
    matches!(&schema.schema_type, SchemaType::Type(Type::String))
        && schema.pattern.is_none()
        && schema.format.is_none()
        && schema.enum_values.is_none()
}

/// What identifiers of several kinds look like.
fn one_of(prefixes: &[&str]) -> String {
    identifier(&format!("({})", prefixes.join("|")))
}

/// What an identifier looks like.
fn identifier(prefix: &str) -> String {
    format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")
}

/// The prefix of the identifiers that a path has at a parameter's place.
fn collection_before(path: &str, parameter: &str) -> Option<&'static str> {
    let (before, _) = path.split_once(&format!("/{{{parameter}}}"))?;
    before.rsplit('/').next().and_then(prefix_in)
}

/// The prefix of the identifiers in a collection.
fn prefix_in(collection: &str) -> Option<&'static str> {
    match collection {
        "projects" => Some("proj"),
        "environments" => Some("env"),
        "deployments" => Some("dep"),
        "env-vars" => Some("var"),
        "api-keys" => Some("key"),
        "tokens" => Some("tok"),
        "organizations" => Some("org"),
        "members" => Some("usr"),
        "audit" => Some("aud"),
        "sessions" => Some("ses"),
        "invitations" => Some("inv"),
        "webhook-deliveries" => Some("whd"),
        _ => None,
    }
}

fn date_or_date_time() -> RefOr<Schema> {
    let text = |format| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.format(Some(SchemaFormat::KnownFormat(format)))
    };
    let either =
        AnyOfBuilder::new().item(text(KnownFormat::Date)).item(text(KnownFormat::DateTime));
    RefOr::T(Schema::AnyOf(either.build()))
}
