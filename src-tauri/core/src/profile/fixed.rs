//! Keys that an administrator's policy fixes: no later layer can change their values.
//!
//! A later layer could change a fixed key in two ways. It could hold a value at the key, within it,
//! or in place of a table above it: such values are removed from the layer. Or it could use
//! `extends`, which starts again from a shipped profile: the fixed values are then written over the
//! result.

use serde_json::{Map, Value};

use super::browser::ADDRESS_KEYS;
use super::load::{HEADERS, WHOLE, merge};
use super::mistake::Mistake;
use super::model::Document;
use super::read::{leads_to_a_key, read};

/// The key of a policy's profile that holds the list.
pub(super) const LIST: &str = "fixed";
/// The key that starts again from a shipped profile.
pub(super) const EXTENDS: &str = "extends";

/// Reads the list of fixed keys.
pub(super) fn keys(list: &Value) -> Result<Vec<String>, Mistake> {
    let at = |below: &str| format!("{LIST}{below}");
    let listed: Vec<String> = read(list).map_err(|mistake| Mistake {
        key: at(&mistake.key),
        ..mistake
    })?;
    let mut keys = Vec::new();
    for (index, key) in listed.into_iter().enumerate() {
        let refused = |mistake: Mistake| Mistake {
            key: at(&format!("[{index}]")),
            ..mistake
        };
        leads_to_a_key::<Document>(&key).map_err(refused)?;
        let mut above = key.rsplit('.').skip(1);
        if above.any(|step| step == WHOLE) {
            let reason = "is a part of a body, which is one value: name the body";
            return Err(refused(Mistake::new("", reason)));
        }
        keys.push(spelled(&key));
    }
    Ok(keys)
}

/// Names of headers are compared in lower case.
fn spelled(key: &str) -> String {
    match key.rsplit_once('.') {
        Some((above, name)) if above.rsplit('.').next() == Some(HEADERS) => {
            format!("{above}.{}", name.to_ascii_lowercase())
        }
        _ => key.to_owned(),
    }
}

/// The keys of all values in `value` that are not tables. A body counts as one value.
pub(super) fn leaves(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else {
        return Vec::new();
    };
    let below = members.iter().flat_map(|(key, value)| match value {
        Value::Object(_) if key != WHOLE => {
            let below = leaves(value).into_iter();
            below.map(|rest| format!("{key}.{rest}")).collect()
        }
        _ => vec![key.clone()],
    });
    below.collect()
}

/// The value at the end of `steps`.
pub(super) fn at<'a>(value: &'a Value, steps: &[&str]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| value.get(step))
}

/// The keys that are fixed so far, each with its value; `None` where the key must have no value.
#[derive(Default)]
pub(super) struct Fixed(Vec<(String, Option<Value>)>);

impl Fixed {
    /// Fixes more keys, with their values in `whole`.
    pub(super) fn add(&mut self, keys: &[String], whole: &Value) {
        let now = |key: &String| (key.clone(), at(whole, &steps(key)).cloned());
        self.0.extend(keys.iter().map(now));
    }

    /// Whether this very key is fixed.
    pub(super) fn holds(&self, key: &str) -> bool {
        self.0.iter().any(|(held, _)| held == key)
    }

    /// Removes from `value` everything that would change a fixed key. Returns the keys whose values
    /// differed from the fixed ones.
    pub(super) fn take_out_of(&self, value: &mut Value) -> Vec<String> {
        let mut lost = Vec::new();
        for (key, held) in &self.0 {
            let Some((taken, what)) = take(value, &steps(key)) else {
                continue;
            };
            let is_same = taken == *key && held.as_ref().is_some_and(|held| adds_none(held, &what));
            if !is_same {
                lost.push(taken);
            }
        }
        lost
    }

    /// Writes the fixed values into `whole`.
    pub(super) fn hold(&self, whole: &mut Value) {
        for (key, held) in &self.0 {
            match held {
                Some(held) => put(whole, &steps(key), held.clone()),
                None => remove(whole, &steps(key)),
            }
        }
    }

    /// The part of `value` that is at fixed keys.
    pub(super) fn part_of(&self, value: &Value) -> Value {
        let mut part = Value::Object(Map::new());
        for (key, _) in &self.0 {
            if let Some(held) = at(value, &steps(key)) {
                put(&mut part, &steps(key), held.clone());
            }
        }
        part
    }
}

/// Removes from `value` every origin that an endpoint, or a step before one, has of its own, and every
/// address of a provider. Returns their keys.
pub(super) fn take_origins_out_of(value: &mut Value) -> Vec<String> {
    let named = leaves(value).into_iter().filter(|key| {
        let steps = steps(key);
        matches!(
            steps.as_slice(),
            ["endpoints", _, "origin"] | ["endpoints", _, "before", "origin"]
        ) || matches!(steps.as_slice(), ["browser", key] if ADDRESS_KEYS.contains(key))
    });
    let named: Vec<String> = named.collect();
    for key in &named {
        remove(value, &steps(key));
    }
    named
}

fn steps(key: &str) -> Vec<&str> {
    key.split('.').collect()
}

/// Whether merging `above` into `held` would change nothing.
fn adds_none(held: &Value, above: &Value) -> bool {
    let mut both = held.clone();
    merge(&mut both, above);
    both == *held
}

/// Removes the value at the key, or the value that is in place of a table above it. Returns its key
/// and the value.
fn take(value: &mut Value, steps: &[&str]) -> Option<(String, Value)> {
    let members = value.as_object_mut()?;
    let (first, rest) = steps.split_first()?;
    let below = members.get_mut(*first)?;
    if rest.is_empty() || !below.is_object() {
        return Some(((*first).to_owned(), members.remove(*first)?));
    }
    let (key, taken) = take(below, rest)?;
    Some((format!("{first}.{key}"), taken))
}

/// Removes the value at the key itself.
fn remove(value: &mut Value, steps: &[&str]) {
    let Some((last, above)) = steps.split_last() else {
        return;
    };
    let table = above
        .iter()
        .try_fold(value, |value, step| value.get_mut(*step));
    if let Some(members) = table.and_then(Value::as_object_mut) {
        members.remove(*last);
    }
}

/// Puts `held` at the key and creates the tables above it.
fn put(value: &mut Value, steps: &[&str], held: Value) {
    let Some((first, rest)) = steps.split_first() else {
        *value = held;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Value::Object(members) = value {
        put(members.entry(*first).or_insert(Value::Null), rest, held);
    }
}

#[cfg(test)]
mod tests;
