//! Names and values that a file's author chooses.

use serde_json::{Value, json};
use windlass_domain::{EnvVarKey, check_env_var_value};

use crate::scalar::Scalar;

/// What the values must be.
pub(crate) const EXPECTED: &str = "text, a number, `true` or `false`";

/// Reads a name, or says what is wrong with it.
pub(crate) fn key(text: &str) -> Result<EnvVarKey, String> {
    text.parse().map_err(|err: <EnvVarKey as std::str::FromStr>::Err| err.to_string())
}

/// Reads a value exactly as it is written, or says what is wrong with it, without repeating it.
pub(crate) fn value(scalar: Scalar<'_>) -> Result<String, String> {
    let Some(text) = scalar.as_written() else {
        return Err(format!("must be {EXPECTED}, and is empty: write \"\" for a text of nothing"));
    };
    check_env_var_value(text).map_err(|err| err.to_string())?;
    Ok(text.to_owned())
}

/// Both as a JSON Schema.
pub(crate) fn schema() -> Value {
    json!({
        "propertyNames": { "pattern": "^(?!PORT$|WINDLASS_|LD_)[A-Za-z_][A-Za-z0-9_]{0,127}$" },
        "additionalProperties": {
            "type": ["string", "number", "boolean"],
            "maxLength": 32_768,
            "pattern": r"^[^\u0000]*$",
        },
    })
}
