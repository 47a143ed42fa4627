//! Values as backends write them in JSON: the same thing has many forms.

use serde_json::Value;

use crate::profile::{Pointer, first};

/// Numbers are converted to text, because some backends number their users.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The names in one value: a text may have several, and a table has one at a place of its own.
pub(crate) fn names_in(value: &Value, separator: Option<&str>, name: &[Pointer]) -> Vec<String> {
    let named = match value {
        Value::Object(_) => first(name, value),
        other => Some(other),
    };
    let text = named.and_then(text_of);
    match (text, separator) {
        (Some(text), Some(separator)) => {
            let names = text.split(separator).map(str::trim);
            names
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect()
        }
        (text, _) => text.into_iter().collect(),
    }
}

/// Whether the value is true, in a form that some backend or database has.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::String(text) => {
            let word = text.trim().to_ascii_lowercase();
            matches!(word.as_str(), "true" | "1" | "yes" | "t" | "y")
        }
        _ => false,
    }
}
