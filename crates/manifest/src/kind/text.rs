//! Texts that have to be of some form.

use serde_json::{Value, json};
use windlass_domain::{CommandLine, Name, check_health_path, check_repository_path};

use super::{Kind, pattern::UNPRINTABLE};
use crate::scalar::Scalar;

/// Text of some form.
pub(crate) struct Text<V> {
    parse: fn(&str) -> Result<V, String>,
    schema: fn() -> Value,
}

/// The name of a thing.
pub(crate) const NAME: Text<Name> = Text {
    parse: |text| text.parse().map_err(|err: <Name as std::str::FromStr>::Err| err.to_string()),
    schema: || {
        let pattern = format!(r"^(?!\s)[^{UNPRINTABLE}]*(?<!\s)$");
        json!({ "type": "string", "minLength": 1, "maxLength": 100, "pattern": pattern })
    },
};

/// A shell command.
pub(crate) const COMMAND: Text<CommandLine> = Text {
    parse: |text| {
        text.parse().map_err(|err: <CommandLine as std::str::FromStr>::Err| err.to_string())
    },
    schema: || {
        let pattern = r"^(?=[\s\S]*\S)[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$";
        json!({ "type": "string", "maxLength": 4_000, "pattern": pattern })
    },
};

/// A path in the repository.
pub(crate) const PATH: Text<String> = Text {
    parse: |text| match check_repository_path(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(err) => Err(err.to_string()),
    },
    schema: || {
        let pattern = format!(r"^(?![/-])(?!(.*/)?\.\.(/|$))[^\\{UNPRINTABLE}]*$");
        json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": pattern })
    },
};

/// What follows the host in an address.
pub(crate) const HEALTH_PATH: Text<String> = Text {
    parse: |text| match check_health_path(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(err) => Err(err.to_string()),
    },
    schema: || json!({ "type": "string", "maxLength": 1_000, "pattern": r#"^/[!"$-~]*$"# }),
};

impl<V> Kind<V> for Text<V> {
    fn expected(&self) -> String {
        "text".to_owned()
    }

    fn read(&self, scalar: Scalar<'_>) -> Result<V, String> {
        match scalar {
            Scalar::Text(text) => {
                (self.parse)(text).map_err(|err| format!("{err}, and is {scalar}"))
            }
            Scalar::Null => Err("must be text, and is empty".to_owned()),
            Scalar::Bool(..) | Scalar::Number(..) => {
                Err(format!("must be text, and is {scalar}: put it in quotes"))
            }
        }
    }

    fn schema(&self) -> Value {
        (self.schema)()
    }
}
