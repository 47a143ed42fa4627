//! A part that a backend may not have. `false` removes what a layer below has.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{
    MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer, U64Deserializer,
};
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A value, or `false` for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueOrFalse<T>(pub Option<T>);

impl<T> ValueOrFalse<T> {
    /// The value, if there is one.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> Default for ValueOrFalse<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ValueOrFalse<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueOrFalseVisitor(PhantomData))
    }
}

struct ValueOrFalseVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ValueOrFalseVisitor<T> {
    type Value = ValueOrFalse<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the right kind, or `false` for none")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<ValueOrFalse<T>, E> {
        if value {
            return Err(E::invalid_type(Unexpected::Bool(true), &self));
        }
        Ok(ValueOrFalse(None))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<ValueOrFalse<T>, E> {
        T::deserialize(U64Deserializer::new(number)).map(|value| ValueOrFalse(Some(value)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ValueOrFalse<T>, E> {
        T::deserialize(StrDeserializer::new(text)).map(|value| ValueOrFalse(Some(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<ValueOrFalse<T>, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(items)).map(|value| ValueOrFalse(Some(value)))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<ValueOrFalse<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(|value| ValueOrFalse(Some(value)))
    }
}

/// In the schema: `false`, or the value.
#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for ValueOrFalse<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}OrFalse", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<T>();
        schemars::json_schema!({"anyOf": [value, {"const": false}]})
    }
}
