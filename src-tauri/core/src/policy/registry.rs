//! A policy in the Windows registry, where group policies write it. Only administrators can write
//! below this key, and programs of 32 and of 64 bits see the same.

use std::fmt::Display;

use serde_json::{Map, Value};
use windows_registry::{Key, LOCAL_MACHINE, Type};

use super::registry_value;
use crate::profile::{Mistake, ProfileError};

const ABOVE: &str = r"Software\Policies";
/// `ERROR_FILE_NOT_FOUND` as an `HRESULT`: there is no such key.
const NO_SUCH_KEY: i32 = 0x8007_0002_u32.cast_signed();
/// Deeper than the tables of any policy.
const DEEPEST: usize = 16;

/// The policy of an app: its key in the registry and its values; `None` if there is none.
///
/// # Errors
/// If it cannot be read, or holds a value of another type than a policy has.
pub(crate) fn find(identifier: &str) -> Result<Option<(String, Value)>, ProfileError> {
    let path = format!(r"{ABOVE}\{identifier}");
    let place = format!(r"HKEY_LOCAL_MACHINE\{path}");
    let refused = |mistake: Mistake| mistake.in_place(place.clone());
    let key = match LOCAL_MACHINE.open(&path) {
        Ok(key) => key,
        Err(error) if error.code().0 == NO_SUCH_KEY => return Ok(None),
        Err(error) => return Err(refused(unreadable("")(error))),
    };
    let value = table(&key, "", DEEPEST).map_err(refused)?;
    // The crate ends an enumeration early if a value has grown since it began, so the key is read
    // twice.
    if table(&key, "", DEEPEST).map_err(refused)? != value {
        return Err(refused(Mistake::new("", "is being changed: try again")));
    }
    Ok(Some((place, value)))
}

/// The values and subkeys of a key, as a table.
fn table(key: &Key, above: &str, deepest: usize) -> Result<Value, Mistake> {
    let below = |name: &str| match above {
        "" => name.to_owned(),
        above => format!("{above}.{name}"),
    };
    let mut members = Map::new();
    for (name, value) in key.values().map_err(unreadable(above))? {
        let kind = match value.ty() {
            Type::String | Type::ExpandString => registry_value::ValueKind::Text,
            Type::MultiString => registry_value::ValueKind::Texts,
            Type::U32 | Type::U64 => registry_value::ValueKind::Number,
            Type::Bytes | Type::Other(_) => registry_value::ValueKind::Other,
        };
        let read = registry_value::read(kind, &value);
        let read = read.map_err(|reason| Mistake::new(below(&name), reason))?;
        members.insert(name, read);
    }
    for name in key.keys().map_err(unreadable(above))? {
        let Some(deepest) = deepest.checked_sub(1) else {
            return Err(Mistake::new(below(&name), "is nested too deep"));
        };
        let path = below(&name);
        let inner = key.open(&name).map_err(unreadable(&path))?;
        members.insert(name, table(&inner, &path, deepest)?);
    }
    Ok(Value::Object(members))
}

fn unreadable<E: Display>(key: &str) -> impl Fn(E) -> Mistake + '_ {
    move |error| Mistake::new(key, format!("cannot be read: {error}"))
}
