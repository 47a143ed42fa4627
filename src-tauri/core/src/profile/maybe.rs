//! A part that a backend may not have. `false` removes what a layer below has.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A value, or `false` for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

impl<T> Maybe<T> {
    /// The value, if there is one.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueOrFalse(PhantomData))
    }
}

struct ValueOrFalse<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ValueOrFalse<T> {
    type Value = Maybe<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the right kind, or `false` for none")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Maybe<T>, E> {
        if value {
            return Err(E::invalid_type(Unexpected::Bool(true), &self));
        }
        Ok(Maybe(None))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Maybe<T>, E> {
        T::deserialize(StrDeserializer::new(text)).map(|value| Maybe(Some(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Maybe<T>, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(items)).map(|value| Maybe(Some(value)))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Maybe<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(|value| Maybe(Some(value)))
    }
}

/// In the schema: `false`, or the value.
#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Maybe<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}OrFalse", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<T>();
        schemars::json_schema!({"anyOf": [value, {"const": false}]})
    }
}
