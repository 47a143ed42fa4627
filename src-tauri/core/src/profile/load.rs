//! Merges profiles: the shipped one at the bottom, then what the app was built with, then what
//! overrides it. Each layer is first read by itself, so that a mistake is reported with the file
//! that holds it.
//!
//! Tables are merged key by key. A list, a text and a request's body replace the value below them,
//! and `false` removes it. A layer with `extends` discards the layers below it and starts again
//! from a shipped profile. Keys that an administrator's policy fixes keep their values, whatever
//! later layers hold: see [`super::fixed`].

use serde_json::{Map, Value};

use super::Profile;
use super::check::check;
use super::fixed::{self, EXTENDS, Fixed};
use super::layer::Layer;
use super::mistake::ProfileError;
use super::read::read;
use super::shipped::SHIPPED;
use crate::wire::Overridden;

/// The key of a request's body, which is replaced as one value, however many members it has.
pub(super) const WHOLE: &str = "body";
/// The key of the backend's address.
const BACKEND: &str = "backend";
/// The key of a table of headers.
pub(super) const HEADERS: &str = "headers";

/// A profile, and what a policy did to the other layers.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The profile that the layers make.
    pub profile: Profile,
    /// Keys of other layers that have no effect because of the policy.
    pub overridden: Vec<Overridden>,
}

/// The profile that these layers make, each over the one before it, on top of the contract.
pub fn load(layers: &[Layer]) -> Result<Profile, ProfileError> {
    MergedLayers::merge_all(layers)?.profile()
}

/// The same, with what a policy did to the other layers. `rights` are those that the app has:
/// a role with any other right is refused, because that right would have no effect.
/// Without `rights`, a role may have any.
pub fn load_for(layers: &[Layer], rights: Option<&[&str]>) -> Result<Loaded, ProfileError> {
    let merged = MergedLayers::merge_all(layers)?;
    let profile = merged.profile()?;
    let known = rights.map_or(Ok(()), |all| profile.check_rights(all));
    known.map_err(|mistake| {
        let place = place_of(&merged.layers, &mistake.key);
        mistake.in_place(place)
    })?;
    Ok(Loaded {
        profile,
        overridden: merged.overridden,
    })
}

/// Layers that have been merged.
struct MergedLayers {
    whole: Value,
    /// Each layer with those of its values that take effect.
    layers: Vec<Layer>,
    overridden: Vec<Overridden>,
}

impl MergedLayers {
    fn merge_all(layers: &[Layer]) -> Result<Self, ProfileError> {
        let mut merged = Self {
            whole: shipped(SHIPPED[0].name),
            layers: Vec::with_capacity(layers.len()),
            overridden: Vec::new(),
        };
        let mut fixed = Fixed::default();
        for layer in layers {
            merged.put(layer.clone(), &mut fixed)?;
        }
        Ok(merged)
    }

    fn put(&mut self, mut layer: Layer, fixed: &mut Fixed) -> Result<(), ProfileError> {
        let extends = layer.look();
        let extends = extends.map_err(|mistake| mistake.in_place(layer.place.clone()))?;
        spell_headers(&mut layer.value);
        let mut refused = fixed.take_out_of(&mut layer.value);
        if fixed.holds(BACKEND) {
            // Who fixes the backend fixes to whom passwords and tokens go.
            refused.extend(fixed::take_origins_out_of(&mut layer.value));
        }
        self.note(refused, &layer.place);
        if layer.fixed.is_some() {
            self.note_below(&layer.value);
        }
        if let Some(name) = extends
            && layer.value.get(EXTENDS).is_some()
        {
            // A shipped profile has no mistakes, so a mistake is in a layer that came after it.
            for below in &mut self.layers {
                below.value = fixed.part_of(&below.value);
            }
            self.whole = shipped(&name);
            fixed.hold(&mut self.whole);
        }
        merge(&mut self.whole, &layer.value);
        fixed.add(layer.fixes(), &self.whole);
        self.layers.push(layer);
        Ok(())
    }

    fn note(&mut self, keys: Vec<String>, place: &str) {
        let those = keys.into_iter().map(|key| Overridden {
            key,
            place: place.to_owned(),
        });
        self.overridden.extend(those);
    }

    /// Notes which values of the layers below a policy's values replace.
    fn note_below(&mut self, above: &Value) {
        for key in fixed::leaves(above) {
            let steps: Vec<&str> = key.split('.').collect();
            if fixed::at(above, &steps) == fixed::at(&self.whole, &steps) {
                continue;
            }
            let mut down = self.layers.iter().rev();
            let below = down.find(|layer| fixed::at(&layer.value, &steps).is_some());
            if let Some(place) = below.map(|layer| layer.place.clone()) {
                self.note(vec![key], &place);
            }
        }
    }

    fn profile(&self) -> Result<Profile, ProfileError> {
        let checked = read(&self.whole).and_then(check);
        checked.map_err(|mistake| {
            let place = place_of(&self.layers, &mistake.key);
            mistake.in_place(place)
        })
    }
}

/// Writes the names of headers in lower case, so that a layer replaces the header below it, however
/// the two are spelled.
fn spell_headers(value: &mut Value) {
    let Value::Object(members) = value else {
        return;
    };
    for (key, below) in members {
        match (key.as_str(), below) {
            (WHOLE, _) => {}
            (HEADERS, Value::Object(headers)) => {
                let names = std::mem::take(headers).into_iter();
                *headers = names
                    .map(|(name, text)| (name.to_ascii_lowercase(), text))
                    .collect();
            }
            (_, below) => spell_headers(below),
        }
    }
}

/// The values of a shipped profile; an empty table for `nothing`.
fn shipped(name: &str) -> Value {
    let layer = Layer::shipped(name).map(|layer| layer.value);
    layer.unwrap_or_else(|| Value::Object(Map::new()))
}

/// Lays `above` over `below`.
pub(crate) fn merge(below: &mut Value, above: &Value) {
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

/// The place of the uppermost layer that sets `key` or else a key above it; otherwise that of the
/// uppermost layer.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::profile::{Placeholder, UserFrom};

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
        assert_eq!(profile.ends.len(), 8, "the rest is the contract's");
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
            "profile.json: `endpoints.login` is missing, and so is `browser`: nobody could sign in"
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
