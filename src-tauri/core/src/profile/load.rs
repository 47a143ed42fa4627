//! Profiles laid over each other: the shipped one at the bottom, then what the app was built
//! with, then what overrides it. Each layer is read by itself first, so that a mistake is named
//! in the file that holds it.
//!
//! Tables are merged key by key. A list, a text and a request's body replace what is below
//! them, and `false` takes away. A layer that `extends` a shipped profile starts anew from it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Profile;
use super::check::check;
use super::mistake::{Mistake, ProfileError};
use super::model::{Document, SCHEMA};
use super::name::{Named, named, stranger};
use super::read::{read, read_beside};
use super::shipped::SHIPPED;

/// A replaced value's key: a body is one value, however many members it has.
const WHOLE: &str = "body";
/// No profile comes near this; more is a mistake in the name of the file.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// One profile, as yet over nothing.
#[derive(Clone)]
pub struct Layer {
    place: String,
    value: Value,
    is_file: bool,
    /// Keys that are no part of a profile, but may stand where this one does.
    beside: &'static [&'static str],
}

impl Layer {
    /// Values from within another file; `place` says which.
    pub fn inline(place: impl Into<String>, value: Value) -> Self {
        Self {
            place: place.into(),
            value,
            is_file: false,
            beside: &[],
        }
    }

    /// The same where whoever reads the other file has taken these keys out of the values: a
    /// slip in one of them is understood.
    pub fn beside(place: impl Into<String>, value: Value, taken: &'static [&'static str]) -> Self {
        Self {
            beside: taken,
            ..Self::inline(place, value)
        }
    }

    /// What `name` stands for: a shipped profile, or a file. `place` says who names it.
    pub fn named(place: impl Into<String>, name: &str) -> Result<Self, ProfileError> {
        let place = place.into();
        match named("", name) {
            Ok(Named::Shipped) => Ok(Self::inline(place, json!({"extends": name}))),
            Ok(Named::File) => Self::file(Path::new(name)),
            Err(mistake) => Err(mistake.in_place(place)),
        }
    }

    /// The same where the name stands under a key of another file. `carried` is the one file,
    /// name and text, that the app was built with.
    pub fn chosen(
        place: &str,
        key: &str,
        name: &Value,
        carried: Option<(&str, &str)>,
    ) -> Result<Self, ProfileError> {
        let refused = |mistake: Mistake| {
            let key = key.to_owned();
            Mistake { key, ..mistake }.in_place(place)
        };
        let name: String = read(name).map_err(refused)?;
        match (named(key, &name).map_err(refused)?, carried) {
            (Named::Shipped, _) => Ok(Self::inline(place, json!({"extends": name}))),
            (Named::File, Some((file, text))) if file == name => Self::text(name, text),
            (Named::File, _) => {
                let reason = "is a file that this app was not built with";
                Err(Mistake::new(key, reason).in_place(place))
            }
        }
    }

    /// Which file it is, or where in another one it stands.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The text of a file; the ending of its name says whether it is TOML or JSON.
    pub fn text(name: impl Into<String>, text: &str) -> Result<Self, ProfileError> {
        let place = name.into();
        let ending = place.rsplit('.').next().unwrap_or_default();
        let parsed = match ending.to_ascii_lowercase().as_str() {
            "toml" => toml(text),
            "json" => serde_json::from_str(text).map_err(|error| syntax(&error)),
            _ => Err("must be a file that ends in .toml or .json".into()),
        };
        match parsed {
            Ok(value) => Ok(Self {
                place,
                value,
                is_file: true,
                beside: &[],
            }),
            Err(reason) => Err(Mistake::new("", reason).in_place(place)),
        }
    }

    /// A file.
    pub fn file(path: &Path) -> Result<Self, ProfileError> {
        let place = path.display().to_string();
        let refused = |reason: String| Err(Mistake::new("", reason).in_place(place.clone()));
        match std::fs::metadata(path) {
            Ok(file) if !file.is_file() => return refused("is not a file".into()),
            Ok(file) if file.len() > SIZE_LIMIT => return refused("is too large".into()),
            Ok(_) => {}
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
        // A link that leads nowhere is there, and wrong: silence would mean another backend.
        let is_there = |path: &Path| std::fs::symlink_metadata(path).is_ok();
        match (is_there(&toml), is_there(&json)) {
            (false, false) => Ok(None),
            (true, false) => Self::file(&toml).map(Some),
            (false, true) => Self::file(&json).map(Some),
            (true, true) => {
                let reason = format!("stands beside {name}.json: keep one of them");
                Err(Mistake::new("", reason).in_place(toml.display().to_string()))
            }
        }
    }

    /// A shipped profile, if there is one of this name.
    pub fn shipped(name: &str) -> Option<Self> {
        let shipped = SHIPPED.iter().find(|shipped| shipped.name == name)?;
        Self::text(format!("{name}.toml"), shipped.text).ok()
    }

    /// Reads the layer by itself; answers what it extends.
    fn look(&self) -> Result<Option<String>, Mistake> {
        if !self.value.is_object() {
            return Err(Mistake::new("", "must hold a table"));
        }
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
            Some(name) if named("extends", &name) != Ok(Named::Shipped) => {
                Err(stranger("extends", &name, ""))
            }
            extends => Ok(extends),
        }
    }
}

/// The profile that these layers make, the last over the others, on the contract.
pub fn load(layers: &[Layer]) -> Result<Profile, ProfileError> {
    let (mut whole, mut from) = (shipped(SHIPPED[0].name), 0);
    for (index, layer) in layers.iter().enumerate() {
        let extends = layer.look();
        if let Some(name) = extends.map_err(|mistake| mistake.in_place(layer.place.clone()))? {
            (whole, from) = (shipped(&name), index);
        }
        merge(&mut whole, &layer.value);
    }
    let checked = read(&whole).and_then(check);
    checked.map_err(|mistake| {
        // What ships is right by itself, so whoever came after it is wrong.
        let place = place_of(&layers[from..], &mistake.key);
        mistake.in_place(place)
    })
}

/// The same for an app that has these permissions and no others: a role that is given another
/// would get nothing, without a word.
pub fn load_for(layers: &[Layer], permissions: &[&str]) -> Result<Profile, ProfileError> {
    let profile = load(layers)?;
    let known = profile.check_permissions(permissions);
    known.map_err(|mistake| {
        let place = place_of(layers, &mistake.key);
        mistake.in_place(place)
    })?;
    Ok(profile)
}

/// The values of a shipped profile; none for `nothing`.
fn shipped(name: &str) -> Value {
    let layer = Layer::shipped(name).map(|layer| layer.value);
    layer.unwrap_or_else(|| Value::Object(Map::new()))
}

fn merge(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(key) {
                    Some(held) if key != WHOLE => merge(held, value),
                    _ => {
                        below.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (below, above) => *below = above.clone(),
    }
}

/// The uppermost layer that has a say on `key`; where none has, the uppermost of all.
fn place_of(layers: &[Layer], key: &str) -> String {
    let mut steps: Vec<&str> = key.split('.').collect();
    while !steps.is_empty() {
        let mut down = layers.iter().rev();
        if let Some(layer) = down.find(|layer| has(&layer.value, &steps)) {
            return layer.place.clone();
        }
        steps.pop();
    }
    let last = layers.last().map(|layer| layer.place.clone());
    last.unwrap_or_else(|| "the profile".into())
}

fn has(value: &Value, steps: &[&str]) -> bool {
    let step = |value: &'_ Value, step: &str| {
        let name = step.split('[').next().unwrap_or_default();
        value.get(name).is_some()
    };
    match steps {
        [] => true,
        [last] => step(value, last),
        [first, rest @ ..] => value.get(*first).is_some_and(|value| has(value, rest)),
    }
}

/// The parser's own error shows the line, which may hold a secret: its words and its place do.
fn toml(text: &str) -> Result<Value, String> {
    ::toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        format!("is not TOML: {} in line {line}", error.message())
    })
}

fn syntax(error: &serde_json::Error) -> String {
    format!(
        "is not JSON: see line {}, column {}",
        error.line(),
        error.column()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Placeholder, UserFrom};
    use proptest::prelude::*;

    fn file(name: &str, text: &str) -> Layer {
        Layer::text(name, text).unwrap()
    }

    #[test]
    fn every_shipped_profile_stands_by_itself() {
        for shipped in SHIPPED {
            let layer = Layer::shipped(shipped.name).expect("it is TOML");
            let own = layer.look().expect("it is a profile");
            assert_eq!(own, None, "{}: it extends nothing", shipped.name);
            let address = json!({"extends": shipped.name, "backend": "https://a.example"});
            let profile = load(&[Layer::inline("test", address)]).expect(shipped.name);
            assert!(!profile.name.is_empty(), "{}", shipped.name);
        }
        let contract = load(&[]).expect("the contract needs no address");
        assert_eq!(contract.origin(), "http://127.0.0.1:4580");
        let error = load(&[Layer::inline("test", json!({"extends": "directus"}))]).unwrap_err();
        assert_eq!(error.key, "backend", "{error}");
    }

    #[test]
    fn a_layer_says_what_differs() {
        let toml = r#"
            schema = 1
            backend = "https://api.example.com/v1/"
            [endpoints]
            resend_otp = false
            [endpoints.login]
            path = "/auth/login"
            [endpoints.refresh]
            body = { token = "x" }
        "#;
        let profile = load(&[file("profile.toml", toml)]).unwrap();
        let url = profile.url("/auth/login?x=1");
        assert_eq!(url.as_str(), "https://api.example.com/v1/auth/login?x=1");
        assert_eq!(profile.origin(), "https://api.example.com");
        let login = profile.endpoints.login.get().expect("there is one");
        assert_eq!(login.path.source(), "/auth/login");
        assert!(login.asks_for(Placeholder::Password), "the body stays");
        let refresh = profile.endpoints.refresh.get().expect("there is one");
        assert_eq!(refresh.asked_for(), [], "a body is replaced as a whole");
        assert_eq!(profile.endpoints.resend_otp.get(), None);
        assert_eq!(profile.ends.len(), 4, "the rest is the contract's");
    }

    #[test]
    fn the_last_layer_wins_and_extending_starts_anew() {
        let built = json!({
            "extends": "directus", "backend": "https://a.example", "headers": {"x-app": "1"},
        });
        let built = Layer::inline("plugins.vestibule", built);
        let moved = file("profile.toml", "schema = 1\nbackend = 'https://b.example'");
        let profile = load(&[built.clone(), moved]).unwrap();
        assert_eq!(profile.origin(), "https://b.example");
        assert_eq!(profile.session.user_from, UserFrom::Me, "still Directus");
        assert_eq!(profile.headers.len(), 1);
        let other = r#"{"schema": 1, "extends": "contract", "backend": "https://c.example"}"#;
        let profile = load(&[built.clone(), file("profile.json", other)]).unwrap();
        assert_eq!(profile.session.user_from, UserFrom::Refresh);
        assert_eq!(profile.headers.len(), 0);
        let nothing = r#"{"schema": 1, "extends": "nothing", "backend": "https://c.example"}"#;
        let error = load(&[built, file("profile.json", nothing)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "profile.json: `endpoints.login` is missing: nobody could sign in"
        );
    }

    #[test]
    fn a_mistake_is_named_in_the_file_that_holds_it() {
        let first = json!({"api": {"allow": ["/me", "/login"]}});
        let second = "schema = 1\nbackend = 'https://b.example'";
        let layers = [Layer::inline("first", first), file("second.toml", second)];
        let error = load(&layers).unwrap_err();
        assert_eq!(
            (error.place.as_str(), error.key.as_str()),
            ("first", "api.allow[1]")
        );
    }

    #[test]
    fn files_are_found_read_and_refused() {
        let folder = tempfile::tempdir().unwrap();
        let find = || Layer::find(folder.path(), "profile");
        assert!(find().unwrap().is_none());
        let toml = folder.path().join("profile.toml");
        std::fs::write(&toml, "schema = 1\napikey = 'hunter2\n").unwrap();
        let error = find().err().expect("no TOML").to_string();
        assert!(
            error.contains("profile.toml") && error.contains("in line 2"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
        std::fs::write(&toml, [0xff, 0xfe]).unwrap();
        assert!(find().is_err(), "no text");
        std::fs::write(&toml, "schema = 1").unwrap();
        assert!(find().unwrap().is_some());
        std::fs::write(folder.path().join("profile.json"), "{}").unwrap();
        let error = find().err().expect("two").to_string();
        assert!(error.contains("keep one of them"), "{error}");
        std::fs::remove_file(&toml).unwrap();
        std::fs::create_dir(&toml).unwrap();
        std::fs::remove_file(folder.path().join("profile.json")).unwrap();
        assert!(find().is_err(), "a folder");
        let error = Layer::text("profile.yaml", "").err().unwrap().to_string();
        assert!(error.contains(".toml or .json"), "{error}");
        let error = Layer::text("p.json", "{\"apikey\": hunter2}")
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("line 1") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_not_overlooked() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("profile.toml");
        std::os::unix::fs::symlink("/nowhere/at/all", link).unwrap();
        assert!(Layer::find(folder.path(), "profile").is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::String),
            prop::sample::select(&["$password", "/x", "", "me", "ttl_s", "expired"][..])
                .prop_map(Value::from),
        ];
        let key = prop::sample::select(
            &[
                "schema",
                "extends",
                "backend",
                "headers",
                "cookies",
                "session",
                "endpoints",
                "login",
                "refresh",
                "me",
                "path",
                "body",
                "method",
                "answer",
                "user",
                "expires",
                "otp",
                "wanted",
                "ends",
                "errors",
                "signed_out",
                "api",
                "allow",
                "pointer",
                "why",
            ][..],
        )
        .prop_map(str::to_owned);
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec((key.clone(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_a_profile_or_is_refused(value in any_json()) {
            let _ = load(&[Layer::inline("any", value)]);
        }

        #[test]
        fn any_text_is_a_file_or_is_refused(text in ".{0,80}") {
            for name in ["p.toml", "p.json"] {
                if let Ok(layer) = Layer::text(name, &text) {
                    let _ = load(&[layer]);
                }
            }
        }
    }
}
