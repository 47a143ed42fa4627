//! Values as backends write them in JSON: the same thing has many forms.

use serde_json::{Number, Value};

use crate::profile::{Pointer, first};

/// Below this an `f64` holds each whole number exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Numbers are converted to text, because some backends number their users. A whole number is the same
/// however it was written: `42.0` is 42, and `1e3` is 1000.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(match whole(number) {
            Some(whole) => whole.to_string(),
            None => number.to_string(),
        }),
        _ => None,
    }
}

/// The whole number that was written with a point or an exponent.
pub(crate) fn whole(number: &Number) -> Option<i64> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    let is_whole = float.fract() == 0.0 && float.abs() < EXACT;
    is_whole.then_some(float as i64)
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

/// What a value says that is a truth in some backend or database: a rule of a profile and a member of the
/// user are read by this alike. `None` if it says neither.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_f64()? {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the value says that something is so.
pub(crate) fn is_true(value: &Value) -> bool {
    truth(value) == Some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_truth_has_many_forms() {
        for value in [
            json!(true),
            json!(1),
            json!(1.0),
            json!("true"),
            json!(" True "),
            json!("t"),
            json!("YES"),
            json!("y"),
            json!("on"),
            json!("1"),
        ] {
            assert_eq!(truth(&value), Some(true), "{value}");
        }
        for value in [
            json!(false),
            json!(0),
            json!(-0.0),
            json!("false"),
            json!("F"),
            json!("no"),
            json!("n"),
            json!("off"),
            json!("0"),
            json!(" "),
            json!(""),
        ] {
            assert_eq!(truth(&value), Some(false), "{value}");
        }
        for value in [
            json!(null),
            json!(2),
            json!(-1),
            json!(0.5),
            json!("maybe"),
            json!([]),
            json!({}),
        ] {
            assert_eq!(truth(&value), None, "{value}");
        }
    }

    #[test]
    fn a_whole_number_has_one_text_however_it_was_written() {
        for (json, text) in [
            ("42", "42"),
            ("42.0", "42"),
            ("4.2e1", "42"),
            ("1e3", "1000"),
            ("-7.0", "-7"),
            ("-0.0", "0"),
            ("18446744073709551615", "18446744073709551615"),
            ("1.5", "1.5"),
            ("\"42.0\"", "42.0"),
        ] {
            let value: Value = serde_json::from_str(json).expect("JSON");
            assert_eq!(text_of(&value).as_deref(), Some(text), "{json}");
        }
    }
}
