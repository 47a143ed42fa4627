//! One profile as it was written: a shipped one, a file, or a part of another file. Each is read by
//! itself, so that a mistake is reported with the file that holds it.

use std::path::Path;

use serde_json::{Value, json};

use super::bounds;
use super::fixed;
use super::load::{HEADERS, merge};
use super::mistake::{Mistake, ProfileError};
use super::model::{Document, SCHEMA};
use super::name::{ProfileName, resolve, unknown_name};
use super::read::{read, read_beside};
use super::shipped::SHIPPED;

/// The key of what the window may call.
const API: &str = "api";

/// One profile, before it is merged with others.
#[derive(Clone)]
pub struct Layer {
    pub(super) place: String,
    pub(super) value: Value,
    is_file: bool,
    /// Keys that are not part of a profile, but may be in the same table.
    beside: &'static [&'static str],
    /// Keys that no later layer may change. Only the profile of a policy has them.
    pub(super) fixed: Option<Vec<String>>,
}

impl Layer {
    /// Values from within another file; `place` says where.
    pub fn inline(place: impl Into<String>, value: Value) -> Self {
        Self {
            place: place.into(),
            value,
            is_file: false,
            beside: &[],
            fixed: None,
        }
    }

    /// The same for the profile of an administrator's policy. Its list `fixed` names the keys that
    /// no later layer may change.
    ///
    /// # Errors
    /// If something in that list is not a key of a profile.
    pub fn policy(place: impl Into<String>, mut value: Value) -> Result<Self, ProfileError> {
        let place = place.into();
        let list = value
            .as_object_mut()
            .and_then(|value| value.remove(fixed::LIST));
        let fixed = list.as_ref().map_or(Ok(Vec::new()), fixed::keys);
        let fixed = fixed.map_err(|mistake| mistake.in_place(place.clone()))?;
        Ok(Self {
            fixed: Some(fixed),
            ..Self::beside(place, value, &[fixed::LIST])
        })
    }

    /// The same for values from which the reader of the other file has removed the keys `taken`, so
    /// that a misspelt one of these gets a suggestion.
    pub fn beside(place: impl Into<String>, value: Value, taken: &'static [&'static str]) -> Self {
        Self {
            beside: taken,
            ..Self::inline(place, value)
        }
    }

    /// The layer that `name` stands for: a shipped profile, or a file. `place` says where the name
    /// was given.
    pub fn named(place: impl Into<String>, name: &str) -> Result<Self, ProfileError> {
        let place = place.into();
        match resolve("", name) {
            Ok(ProfileName::Shipped) => Ok(Self::inline(place, json!({"extends": name}))),
            Ok(ProfileName::File) => Self::file(Path::new(name)),
            Err(mistake) => Err(mistake.in_place(place)),
        }
    }

    /// The same for a name at the key `key` of another file. `built` is the one file, name and
    /// text, that the app was built with.
    pub fn chosen(
        place: &str,
        key: &str,
        name: &Value,
        built: Option<(&str, &str)>,
    ) -> Result<Self, ProfileError> {
        let refused = |mistake: Mistake| {
            let key = key.to_owned();
            Mistake { key, ..mistake }.in_place(place)
        };
        let name: String = read(name).map_err(refused)?;
        match (resolve(key, &name).map_err(refused)?, built) {
            (ProfileName::Shipped, _) => Ok(Self::inline(place, json!({"extends": name}))),
            (ProfileName::File, Some((file, text))) if file == name => Self::text(name, text),
            (ProfileName::File, _) => {
                let reason = "is a file that this app was not built with";
                Err(Mistake::new(key, reason).in_place(place))
            }
        }
    }

    /// The values as they were written.
    #[cfg(any(unix, test))]
    pub(crate) fn into_value(self) -> Value {
        self.value
    }

    /// The same with nothing but what it says of the window's calls, headers left out. The keys that no
    /// later layer may change stay.
    pub(crate) fn only_limits(mut self) -> Self {
        if let Some(members) = self.value.as_object_mut() {
            members.retain(|key, _| key == API);
            if let Some(api) = members.get_mut(API).and_then(Value::as_object_mut) {
                api.remove(HEADERS);
            }
        }
        self
    }

    /// The same without these keys, which are in no table.
    pub(super) fn without(mut self, keys: &[&str]) -> Self {
        if let Some(members) = self.value.as_object_mut() {
            members.retain(|key, _| !keys.contains(&key.as_str()));
        }
        self
    }

    /// Whether it says that the backend has this name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.value.get("name").and_then(Value::as_str) == Some(name)
    }

    /// Whether it sets this key, which is in no table.
    pub(super) fn sets_key(&self, key: &str) -> bool {
        self.value.get(key).is_some()
    }

    /// The full paths of the keys that it sets.
    pub fn sets(&self) -> Vec<String> {
        fixed::leaves(&self.value)
    }

    /// The keys that no later layer may change.
    pub fn fixes(&self) -> &[String] {
        self.fixed.as_deref().unwrap_or_default()
    }

    /// Which file it is, or where it is in another file.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Parses the text of a file, as TOML or JSON by the extension of its name.
    pub fn text(name: impl Into<String>, text: &str) -> Result<Self, ProfileError> {
        let place = name.into();
        bounds::check_size(text.len() as u64).map_err(|mistake| mistake.in_place(place.clone()))?;
        let ending = place.rsplit('.').next().unwrap_or_default();
        let parsed = match ending.to_ascii_lowercase().as_str() {
            "toml" => toml(text),
            "json" => serde_json::from_str(text).map_err(|error| Mistake::new("", syntax(&error))),
            _ => Err(Mistake::new(
                "",
                "must be a file that ends in .toml or .json",
            )),
        };
        match parsed {
            Ok(value) => Ok(Self {
                place,
                value,
                is_file: true,
                beside: &[],
                fixed: None,
            }),
            Err(mistake) => Err(mistake.in_place(place)),
        }
    }

    /// Reads a file.
    pub fn file(path: &Path) -> Result<Self, ProfileError> {
        let place = path.display().to_string();
        let refused = |reason: String| Err(Mistake::new("", reason).in_place(place.clone()));
        match std::fs::metadata(path) {
            Ok(file) if !file.is_file() => return refused("is not a file".into()),
            Ok(file) => {
                bounds::check_size(file.len())
                    .map_err(|mistake| mistake.in_place(place.clone()))?;
            }
            Err(error) => return refused(format!("cannot be read: {}", error.kind())),
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Self::text(place, &text),
            Err(error) => refused(format!("cannot be read: {}", error.kind())),
        }
    }

    /// The one file of this name in `folder`, as TOML or JSON; `None` if there is none.
    pub fn find(folder: &Path, name: &str) -> Result<Option<Self>, ProfileError> {
        let path = |ending| folder.join(format!("{name}.{ending}"));
        let [toml, json] = ["toml", "json"].map(path);
        // A broken link counts as a file that cannot be read. Ignoring it would mean another
        // backend.
        let is_there = |path: &Path| std::fs::symlink_metadata(path).is_ok();
        match (is_there(&toml), is_there(&json)) {
            (false, false) => Ok(None),
            (true, false) => Self::file(&toml).map(Some),
            (false, true) => Self::file(&json).map(Some),
            (true, true) => {
                let reason = format!("exists beside {name}.json: keep one of them");
                Err(Mistake::new("", reason).in_place(toml.display().to_string()))
            }
        }
    }

    /// A shipped profile, if there is one of this name.
    pub fn shipped(name: &str) -> Option<Self> {
        let shipped = SHIPPED.iter().find(|shipped| shipped.name == name)?;
        let own = Self::text(format!("{name}.toml"), shipped.text).ok()?;
        let Some(below) = shipped.over else {
            return Some(own);
        };
        let mut whole = Self::shipped(below)?.value;
        merge(&mut whole, &own.value);
        Some(Self {
            value: whole,
            ..own
        })
    }

    /// Checks the layer by itself. Returns the name of the profile that it extends.
    pub(super) fn look(&self) -> Result<Option<String>, Mistake> {
        if !self.value.is_object() {
            return Err(Mistake::new("", "must hold a table"));
        }
        bounds::check_value(&self.value)?;
        let document: Document = read_beside(&self.value, self.beside)?;
        match document.schema {
            Some(SCHEMA) => {}
            None if !self.is_file => {}
            None => {
                let reason = format!("is missing: write `schema = {SCHEMA}`");
                return Err(Mistake::new("schema", reason));
            }
            Some(_) => {
                let reason =
                    format!("is a version that this build does not know: it reads {SCHEMA}");
                return Err(Mistake::new("schema", reason));
            }
        }
        match document.extends {
            Some(name) if resolve("extends", &name) != Ok(ProfileName::Shipped) => {
                Err(unknown_name("extends", &name, ""))
            }
            extends => Ok(extends),
        }
    }
}

/// The parser's own error shows the line, which may hold a secret. Its message and line number do
/// not.
fn toml(text: &str) -> Result<Value, Mistake> {
    bounds::check_toml(text)?;
    ::toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let reason = format!("is not TOML: {} in line {line}", error.message());
        Mistake::new("", reason)
    })
}

fn syntax(error: &serde_json::Error) -> String {
    // The parser has a bound of its own, and this is the only sign of it.
    let is_deep = error.to_string().starts_with("recursion limit");
    let what = if is_deep {
        "is too deep"
    } else {
        "is not JSON"
    };
    let (line, column) = (error.line(), error.column());
    format!("{what}: see line {line}, column {column}")
}
