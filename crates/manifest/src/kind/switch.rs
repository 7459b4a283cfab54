//! Yes or no.

use serde_json::{Value, json};

use super::{Kind, refused_in_quotes};
use crate::scalar::Scalar;

/// `true` or `false`.
pub(crate) struct Switch;

impl Kind<bool> for Switch {
    fn expected(&self) -> String {
        "`true` or `false`".to_owned()
    }

    fn read(&self, scalar: Scalar<'_>) -> Result<bool, String> {
        switch(scalar).ok_or_else(|| {
            refused_in_quotes(&self.expected(), scalar, |scalar| switch(scalar).is_some())
        })
    }

    fn schema(&self) -> Value {
        json!({ "type": "boolean" })
    }
}

fn switch(scalar: Scalar<'_>) -> Option<bool> {
    match scalar {
        Scalar::Bool(value, _) => Some(value),
        Scalar::Null | Scalar::Number(..) | Scalar::Text(_) => None,
    }
}
