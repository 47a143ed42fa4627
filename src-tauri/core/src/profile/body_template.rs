//! A body with placeholders. A text that consists of one placeholder becomes its value. A
//! member whose value is not known is left out.

use std::fmt;
use std::io::{self, Write};

use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use zeroize::Zeroizing;

use super::placeholder::{Placeholder, Variables};
use super::template::Template;

/// How deep a template may be.
const DEPTH: usize = 16;

/// A template for a request's body.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyTemplate {
    Null,
    Bool(bool),
    Number(Number),
    /// A text, or the value of a placeholder.
    Text(Template),
    List(Vec<BodyTemplate>),
    Table(Vec<(String, BodyTemplate)>),
}

impl BodyTemplate {
    /// Its texts, each with its path: `.email`, `[0].id`.
    pub(super) fn texts(&self) -> Vec<(String, &Template)> {
        fn below(step: String, inner: &BodyTemplate) -> impl Iterator<Item = (String, &Template)> {
            let found = inner.texts().into_iter();
            found.map(move |(path, text)| (format!("{step}{path}"), text))
        }
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => Vec::new(),
            Self::Text(text) => vec![(String::new(), text)],
            Self::List(items) => (items.iter().enumerate())
                .flat_map(|(index, item)| below(format!("[{index}]"), item))
                .collect(),
            Self::Table(members) => (members.iter())
                .flat_map(|(name, member)| below(format!(".{name}"), member))
                .collect(),
        }
    }

    /// The body as JSON. A table also gets those members of `more` that it does not have itself.
    pub fn fill(
        &self,
        variables: &Variables<'_>,
        more: Option<&Map<String, Value>>,
    ) -> Zeroizing<Vec<u8>> {
        let write = |out: &mut dyn Write| match self {
            Self::Table(members) => self.write_table(members, variables, more, out),
            _ => self.write(variables, out),
        };
        write_measured(&write)
    }

    fn is_known(&self, variables: &Variables<'_>) -> bool {
        match self {
            Self::Text(text) => text.is_known(variables),
            _ => true,
        }
    }

    fn write(&self, variables: &Variables<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Null => json(&(), out),
            Self::Bool(value) => json(value, out),
            Self::Number(number) => json(number, out),
            Self::Text(text) if text.lone() == Some(Placeholder::Device) => {
                json(&variables.device.map(crate::device::Device::payload), out)
            }
            Self::Text(text) if text.lone() == Some(Placeholder::TrustDevice) => {
                json(&variables.trust_device, out)
            }
            Self::Text(text) => json(&text.fill(variables).as_deref(), out),
            Self::List(items) => {
                out.write_all(b"[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.write_all(b",")?;
                    }
                    item.write(variables, out)?;
                }
                out.write_all(b"]")
            }
            Self::Table(members) => self.write_table(members, variables, None, out),
        }
    }

    fn write_table(
        &self,
        members: &[(String, Self)],
        variables: &Variables<'_>,
        more: Option<&Map<String, Value>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut lead: &[u8] = b"{";
        let mut key = |key: &str, out: &mut dyn Write| {
            out.write_all(std::mem::replace(&mut lead, b","))?;
            json(key, out)?;
            out.write_all(b":")
        };
        for (name, member) in members {
            if member.is_known(variables) {
                key(name, out)?;
                member.write(variables, out)?;
            }
        }
        for (name, value) in more.into_iter().flatten() {
            if !members.iter().any(|(held, _)| held == name) {
                key(name, out)?;
                json(value, out)?;
            }
        }
        let empty = lead == b"{";
        out.write_all(if empty { b"{}" } else { b"}" })
    }
}

/// What `write` writes. The size is measured first, because a growing buffer would leave copies of
/// secrets in memory.
pub(super) fn write_measured(
    write: &dyn Fn(&mut dyn Write) -> io::Result<()>,
) -> Zeroizing<Vec<u8>> {
    let mut size = Size(0);
    let mut bytes = match write(&mut size) {
        Ok(()) => Zeroizing::new(Vec::with_capacity(size.0)),
        Err(_) => return Zeroizing::default(),
    };
    // Writing to memory does not fail.
    let _ = write(&mut *bytes);
    bytes
}

fn json<T: Serialize + ?Sized>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}

/// Counts what is written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'de> Deserialize<'de> for BodyTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = deserializer.deserialize_any(Any)?;
        if body.depth() > DEPTH {
            return Err(D::Error::custom(format!(
                "is more than {DEPTH} levels deep"
            )));
        }
        Ok(body)
    }
}

impl BodyTemplate {
    fn depth(&self) -> usize {
        let deepest = match self {
            Self::List(items) => items.iter().map(Self::depth).max(),
            Self::Table(members) => members.iter().map(|(_, member)| member.depth()).max(),
            _ => None,
        };
        1 + deepest.unwrap_or(0)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = BodyTemplate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<BodyTemplate, E> {
        Ok(BodyTemplate::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<BodyTemplate, E> {
        Ok(BodyTemplate::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<BodyTemplate, E> {
        Ok(BodyTemplate::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<BodyTemplate, E> {
        Ok(BodyTemplate::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<BodyTemplate, E> {
        Ok(Number::from_f64(value).map_or(BodyTemplate::Null, BodyTemplate::Number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<BodyTemplate, E> {
        Template::parse(text)
            .map(BodyTemplate::Text)
            .map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<BodyTemplate, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(BodyTemplate::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<BodyTemplate, A::Error> {
        let mut table = Vec::new();
        while let Some(member) = members.next_entry()? {
            table.push(member);
        }
        Ok(BodyTemplate::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::device::Device;
    use crate::secrets::Secret;

    fn body(template: Value) -> BodyTemplate {
        serde_json::from_value(template).unwrap()
    }

    fn filled(template: Value, variables: &Variables<'_>) -> Value {
        serde_json::from_slice(&body(template).fill(variables, None)).unwrap()
    }

    #[test]
    fn values_take_their_places_and_the_unknown_are_left_out() {
        let device = Device {
            fingerprint: Uuid::nil(),
            os: "os".into(),
            browser: "b".into(),
            extra: Map::new(),
        };
        let password = Secret::new("quote \" and \\ and \n");
        let variables = Variables {
            identifier: Some("ann"),
            password: Some(&password),
            device: Some(&device),
            ..Variables::default()
        };
        let template = json!({
            "email": "$identifier",
            "password": "$password",
            "fingerprint": "$device",
            "otp": "$otp",
            "note": "by $name",
            "deep": [{"id": "$device_id", "code": "$otp"}, null, 1, true, "$otp"],
        });
        assert_eq!(
            filled(template, &variables),
            json!({
                "email": "ann",
                "password": "quote \" and \\ and \n",
                "fingerprint": device.payload(),
                "deep": [{"id": Uuid::nil().to_string()}, null, 1, true, null],
            })
        );
        assert_eq!(filled(json!({}), &variables), json!({}));
        assert_eq!(filled(json!({"code": "$otp"}), &variables), json!({}));
    }

    #[test]
    fn what_is_added_goes_under_what_is_there() {
        let template = body(json!({"email": "$identifier", "code": "$otp"}));
        let more = json!({"email": "forged", "code": "forged", "locale": "$otp"});
        let variables = Variables {
            identifier: Some("ann"),
            ..Variables::default()
        };
        let bytes = template.fill(&variables, more.as_object());
        assert_eq!(
            serde_json::from_slice::<Value>(&bytes).unwrap(),
            json!({"email": "ann", "locale": "$otp"}),
            "nor is what is added a template"
        );
    }

    fn any_template() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-z $]{0,12}".prop_map(Value::String),
            prop::sample::select(&["$password", "$device", "$otp", "x $identifier"][..])
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec((".{0,4}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_filled_template_is_json_of_the_size_that_was_measured(
            template in any_template(), secret in ".{0,30}",
        ) {
            let Ok(body) = serde_json::from_value::<BodyTemplate>(template) else { return Ok(()) };
            let password = Secret::new(secret);
            let variables = Variables {
                password: Some(&password),
                identifier: Some("\u{1}\"é"),
                ..Variables::default()
            };
            let bytes = body.fill(&variables, None);
            prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
            prop_assert!(bytes.capacity() <= bytes.len().max(8), "no copy was left behind");
        }
    }
}
