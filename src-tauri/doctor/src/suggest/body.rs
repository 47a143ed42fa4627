//! A request's body as a profile has it: JSON or a form, with placeholders in the place of what is
//! filled in.

use serde_json::{Map, Value};
use vestibule_core::Secret;

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Form,
}

impl Encoding {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// A body with placeholders.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Body {
    pub members: Map<String, Value>,
    pub encoding: Encoding,
}

/// What the placeholders stand for.
#[derive(Default)]
pub(super) struct Values<'a> {
    pub identifier: &'a str,
    pub password: Option<&'a Secret>,
    pub refresh: Option<&'a Secret>,
    pub access: Option<&'a Secret>,
    pub device: Option<Value>,
    pub device_id: String,
    pub origin: String,
}

impl Values<'_> {
    /// The value of a text of a template, or none where it has none now.
    fn of(&self, text: &str) -> Option<Value> {
        let secret = |secret: Option<&Secret>| secret.map(|held| Value::from(held.secret()));
        match text {
            "$identifier" => Some(Value::from(self.identifier)),
            "$password" => secret(self.password),
            "$refresh_token" => secret(self.refresh),
            "$access_token" => secret(self.access),
            "$device" => self.device.clone(),
            "$device_id" => Some(Value::from(self.device_id.as_str())),
            other => Some(Value::from(other.replace("$$", "$"))),
        }
    }

    /// The text of a header with its placeholders filled in, or none where one has no value.
    pub(super) fn header(&self, template: &str) -> Option<String> {
        for (name, secret) in [
            ("$access_token", self.access),
            ("$refresh_token", self.refresh),
        ] {
            if template.contains(name) {
                return Some(template.replace(name, secret?.secret()));
            }
        }
        Some(template.replace("$origin", &self.origin).replace("$$", "$"))
    }
}

impl Body {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self {
            members: Map::new(),
            encoding,
        }
    }

    /// The same with one more member.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Reads what a person has typed: JSON, or a form, with `$identifier` and `$password` in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let body = if text.starts_with('{') {
            let members = serde_json::from_str(text);
            Self {
                members: members.map_err(|_| "is neither a JSON object nor a form".to_owned())?,
                encoding: Encoding::Json,
            }
        } else {
            let pairs = url::form_urlencoded::parse(text.as_bytes());
            let members = pairs.map(|(name, value)| (name.into_owned(), Value::from(&*value)));
            Self {
                members: members.collect(),
                encoding: Encoding::Form,
            }
        };
        for wanted in ["$identifier", "$password"] {
            if !body.holds(wanted) {
                return Err(format!("has no {wanted}, which stands for what is typed"));
            }
        }
        Ok(body)
    }

    /// Whether one of its texts is this placeholder.
    pub(super) fn holds(&self, placeholder: &str) -> bool {
        fn holds(value: &Value, wanted: &str) -> bool {
            match value {
                Value::String(text) => text == wanted,
                Value::Array(items) => items.iter().any(|item| holds(item, wanted)),
                Value::Object(members) => members.values().any(|member| holds(member, wanted)),
                _ => false,
            }
        }
        self.members.values().any(|value| holds(value, placeholder))
    }

    /// The bytes that are sent.
    pub(super) fn bytes(&self, values: &Values<'_>) -> Vec<u8> {
        let filled = filled_map(&self.members, values);
        match self.encoding {
            Encoding::Json => Value::Object(filled).to_string().into_bytes(),
            Encoding::Form => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in &filled {
                    match value {
                        Value::String(text) => form.append_pair(name, text),
                        other => form.append_pair(name, &other.to_string()),
                    };
                }
                form.finish().into_bytes()
            }
        }
    }
}

/// A member whose placeholder has no value is left out, as the app does.
fn filled_map(members: &Map<String, Value>, values: &Values<'_>) -> Map<String, Value> {
    let filled = members.iter().filter_map(|(name, value)| {
        let value = match value {
            Value::String(text) => values.of(text)?,
            Value::Object(members) => Value::Object(filled_map(members, values)),
            other => other.clone(),
        };
        Some((name.clone(), value))
    });
    filled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_is_json_or_a_form_and_names_both_placeholders() {
        let json = Body::parse(r#"{"u": "$identifier", "p": "$password", "n": 1}"#).unwrap();
        let form = Body::parse("grant_type=password&u=$identifier&p=$password&c=a%20b").unwrap();
        let password = Secret::new("p&w");
        let values = Values {
            identifier: "a@b.c",
            password: Some(&password),
            ..Values::default()
        };
        let sent: serde_json::Value = serde_json::from_slice(&json.bytes(&values)).unwrap();
        let wanted = serde_json::json!({"n": 1, "p": "p&w", "u": "a@b.c"});
        assert_eq!(sent, wanted);
        let text = String::from_utf8(form.bytes(&values)).unwrap();
        assert!(text.contains("p=p%26w") && text.contains("c=a+b"), "{text}");
        for bad in [
            "",
            "{",
            "{\"u\": \"$identifier\"}",
            "u=$identifier&p=secret",
        ] {
            assert!(Body::parse(bad).is_err(), "{bad}");
        }
    }
}
