//! Reads a file's values into the model, with the full path of each mistake. The errors of serde's
//! own readers contain neither the path nor the valid keys, and quote the value.

use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected,
    IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Value, json, map};

use super::mistake::{Mistake, nearest};

/// Reads `value` as a `T`.
pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Mistake> {
    read_beside(value, &[])
}

/// The same, but a misspelt key may also be meant as one of `more`, which are read elsewhere.
pub(super) fn read_beside<T: DeserializeOwned>(
    value: &Value,
    more: &[&'static str],
) -> Result<T, Mistake> {
    let top = Path::Top;
    let node = Node { value, path: &top };
    T::deserialize(node).map_err(|wrong| wrong.at(&top).into_mistake(more))
}

/// Whether `path`, such as `endpoints.login.path`, leads to a key of a `T`. Reads a value with null
/// at the end of this path: the key exists if no error comes from above that end.
///
/// # Errors
/// If it does not. The error suggests a near key.
pub(super) fn leads_to_a_key<T: DeserializeOwned>(path: &str) -> Result<(), Mistake> {
    let keys = path.split('.').rev();
    let value = keys.fold(Value::Null, |below, key| json!({ key: below }));
    let top = Path::Top;
    let node = Node {
        value: &value,
        path: &top,
    };
    let Err(wrong) = T::deserialize(node) else {
        return Ok(());
    };
    let wrong = wrong.at(&top);
    match (&wrong.stray, wrong.known) {
        // All given keys are known; a required one is missing beside them.
        (Some(_), None) => Ok(()),
        (None, _) if wrong.path.as_deref() == Some(path) => Ok(()),
        (Some(_), Some(_)) => Err(wrong.into_mistake(&[])),
        // Something above it is not a table, or has no such member.
        (None, _) => Err(Mistake::new(path, "is not a key here")),
    }
}

/// The path of a value, linked from the value to the top.
enum Path<'a> {
    Top,
    Key(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Top => Ok(()),
            Path::Key(Path::Top, key) => f.write_str(key),
            Path::Key(above, key) => write!(f, "{above}.{key}"),
            Path::Item(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

/// What serde reports as wrong, with its path once that is known.
#[derive(Debug)]
struct Wrong {
    path: Option<String>,
    /// A key that is unknown where it is, or a required key that is missing.
    stray: Option<String>,
    /// The keys that are valid there, if `stray` is unknown.
    known: Option<&'static [&'static str]>,
    reason: String,
    nearest: Option<&'static str>,
}

impl Wrong {
    fn new(reason: String) -> Self {
        Self {
            path: None,
            stray: None,
            known: None,
            reason,
            nearest: None,
        }
    }

    /// Sets the path, unless a deeper one is known.
    fn at(mut self, path: &Path<'_>) -> Self {
        self.path.get_or_insert_with(|| path.to_string());
        self
    }

    fn into_mistake(self, more: &[&'static str]) -> Mistake {
        let above = self.path.unwrap_or_default();
        let below = |key: &str| match above.as_str() {
            "" => key.to_owned(),
            above => format!("{above}.{key}"),
        };
        match (&self.stray, self.known) {
            (Some(stray), Some(known)) => {
                let more = if above.is_empty() { more } else { &[] };
                let all = [known, more].concat();
                let nearest = nearest(stray, all.iter().copied());
                let reason = match nearest {
                    Some(_) => self.reason,
                    None => format!("{}: there are {}", self.reason, listed(&all)),
                };
                Mistake {
                    key: below(stray),
                    reason,
                    nearest: nearest.map(below),
                }
            }
            (Some(stray), None) => Mistake::new(below(stray), self.reason),
            (None, _) => Mistake {
                nearest: self.nearest.map(str::to_owned),
                reason: self.reason,
                key: above,
            },
        }
    }
}

impl std::error::Error for Wrong {}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl serde::de::Error for Wrong {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(format!("is {}, but must be {wanted}", kind(&found)))
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(format!(
            "is {} that does not fit: it must be {wanted}",
            kind(&found)
        ))
    }

    fn invalid_length(length: usize, wanted: &dyn Expected) -> Self {
        Self::new(format!("holds {length} values, but must be {wanted}"))
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Self {
            nearest: nearest(found, known.iter().copied()),
            ..Self::new(format!("must be one of {}", listed(known)))
        }
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        Self {
            stray: Some(found.to_owned()),
            known: Some(known),
            ..Self::new("is not a key here".into())
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            stray: Some(field.to_owned()),
            ..Self::new("is missing".into())
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self {
            stray: Some(field.to_owned()),
            ..Self::new("is given twice".into())
        }
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The kind of a value, without the value.
fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) => "a text",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        _ => "something else",
    }
}

#[derive(Clone, Copy)]
struct Node<'a> {
    value: &'a Value,
    path: &'a Path<'a>,
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(Items {
                items: items.iter(),
                index: 0,
                path: self.path,
            }),
            Value::Object(members) => visitor.visit_map(Members {
                members: members.iter(),
                value: None,
                path: self.path,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    /// Only of a table: serde would also take a list, whose values it gives to the members in turn.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let found = match self.value {
            Value::Object(_) => return self.deserialize_any(visitor),
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(_) => Unexpected::Float(0.0),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
        };
        Err(Wrong::invalid_type(found, &"a table"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.value {
            Value::String(text) => visitor.visit_enum(Choice(text)),
            _ => Err(Wrong::new(format!("must be one of {}", listed(known)))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'a> {
    items: std::slice::Iter<'a, Value>,
    index: usize,
    path: &'a Path<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some(value) = self.items.next() else {
            return Ok(None);
        };
        let path = Path::Item(self.path, self.index);
        self.index += 1;
        let node = Node { value, path: &path };
        seed.deserialize(node)
            .map(Some)
            .map_err(|wrong| wrong.at(&path))
    }
}

struct Members<'a> {
    members: map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
    path: &'a Path<'a>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((key, value)) = self.members.next() else {
            return Ok(None);
        };
        self.value = Some((key, value));
        let key: StrDeserializer<'_, Wrong> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some((key, value)) = self.value.take() else {
            return Err(Wrong::custom("holds a value without a key"));
        };
        let path = Path::Key(self.path, key);
        let node = Node { value, path: &path };
        seed.deserialize(node).map_err(|wrong| wrong.at(&path))
    }
}

/// A text that is read as one of several words.
struct Choice<'a>(&'a str);

impl<'de> EnumAccess<'de> for Choice<'_> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let word: StrDeserializer<'_, Wrong> = self.0.into_deserializer();
        Ok((seed.deserialize(word)?, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Wrong> {
        Err(Wrong::custom("must be a word"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Wrong> {
        Err(Wrong::custom("must be a word"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Wrong> {
        Err(Wrong::custom("must be a word"))
    }
}
