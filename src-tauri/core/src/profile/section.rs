//! The section of an app's configuration that says which backend the app was built for.
//!
//! It names a shipped profile or a file (`profile`), and may have keys of a profile beside that name.

use serde_json::{Value, json};

use super::layer::Layer;
use super::load::load_for;
use super::mistake::{Mistake, ProfileError, nearest};
use super::name::{ProfileName, resolve};
use super::read::read;
use crate::roles::Roles;

/// The key that names a shipped profile, or a file.
const CHOICE: &str = "profile";
/// The keys that do not belong to a profile.
const OTHER_KEYS: [&str; 2] = [CHOICE, "links"];
/// The key of the backend's address. It may be left to an administrator or to a file beside the app.
const ADDRESS: &str = "backend";
/// An address that no backend has (RFC 6761 §6.4).
const NO_ADDRESS: &str = "https://backend.invalid";

/// The section, and where it is.
#[derive(Clone, Debug)]
pub struct Section {
    place: String,
    value: Value,
}

impl Section {
    /// The section at `place`, which errors name.
    pub fn new(place: impl Into<String>, value: Value) -> Self {
        let place = place.into();
        Self { place, value }
    }

    /// Finds the section `name` among `sections`, which are in `file` under `key`.
    ///
    /// # Errors
    /// If there is none by this name, but one whose name is nearly the same.
    pub fn find<'a>(
        name: &str,
        sections: impl IntoIterator<Item = (&'a String, &'a Value)>,
        file: &str,
        key: &str,
    ) -> Result<Option<Self>, ProfileError> {
        let mut misspelt = None;
        for (other, value) in sections {
            if other == name {
                let place = format!("{file} ({key}.{name})");
                return Ok(Some(Self::new(place, value.clone())));
            }
            if nearest(other, [name]).is_some() {
                misspelt = Some(other);
            }
        }
        let Some(other) = misspelt else {
            return Ok(None);
        };
        let mistake = Mistake {
            nearest: Some(format!("{key}.{name}")),
            ..Mistake::new(format!("{key}.{other}"), "is not read by anything")
        };
        Err(mistake.in_place(file))
    }

    /// The file that `profile` names, if it names one.
    ///
    /// # Errors
    /// If it names neither a file nor a shipped profile.
    pub fn file(&self) -> Result<Option<String>, ProfileError> {
        let Some(name) = self.value.get(CHOICE) else {
            return Ok(None);
        };
        let refuse = |mistake: Mistake| {
            let key = CHOICE.to_owned();
            Mistake { key, ..mistake }.in_place(&self.place)
        };
        let name: String = read(name).map_err(refuse)?;
        let is_file = resolve(CHOICE, &name).map_err(refuse)? == ProfileName::File;
        Ok(is_file.then_some(name))
    }

    /// The layers that the section stands for: the profile that it names, and its own keys. `carried`
    /// is the one file, name and text, that the app was built with.
    ///
    /// # Errors
    /// If the section names no profile that there is, or a file that is not valid.
    pub fn layers(&self, carried: Option<(&str, &str)>) -> Result<Vec<Layer>, ProfileError> {
        let mut layers = Vec::new();
        if let Some(chosen) = self.value.get(CHOICE) {
            layers.push(Layer::chosen(&self.place, CHOICE, chosen, carried)?);
        }
        let mut own = self.value.clone();
        if let Some(own) = own.as_object_mut() {
            own.retain(|key, _| !OTHER_KEYS.contains(&key.as_str()));
        }
        layers.push(Layer::beside(&self.place, own, &OTHER_KEYS));
        Ok(layers)
    }

    /// The table of roles, whose rights are those of the app. The check of the profile reports a
    /// table that is not one.
    pub fn roles(&self) -> Roles {
        let table = self.value.get("roles").cloned();
        table
            .and_then(|table| serde_json::from_value(table).ok())
            .unwrap_or_default()
    }

    /// Checks what the app is built with by itself, as it will be checked when the app starts. Returns
    /// whether it has the backend's address: without one, an administrator or a file beside the app
    /// has to name it.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn check(&self, carried: Option<(&str, &str)>) -> Result<bool, ProfileError> {
        let roles = self.roles();
        let rights: Vec<_> = roles.rights().into_iter().collect();
        let mut layers = self.layers(carried)?;
        let checked = load_for(&layers, Some(&rights));
        if checked.as_ref().is_err_and(|error| error.key == ADDRESS)
            && !layers.iter().any(|layer| layer.sets_key(ADDRESS))
        {
            layers.push(Layer::inline(&self.place, json!({ADDRESS: NO_ADDRESS})));
            return load_for(&layers, Some(&rights)).map(|_| false);
        }
        checked.map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    const PLACE: &str = "app.json (plugins.auth)";

    fn section(value: Value) -> Section {
        Section::new(PLACE, value)
    }

    fn profile_of(section: &Section, carried: Option<(&str, &str)>) -> Profile {
        let layers = section.layers(carried).unwrap();
        load_for(&layers, None).unwrap().profile
    }

    #[test]
    fn a_section_is_found_by_its_name_and_a_misspelt_one_is_not_overlooked() {
        let find = |sections: Value| {
            let sections = sections.as_object().unwrap().clone();
            Section::find("vestibule", &sections, "app.json", "plugins")
        };
        let found = find(json!({"other": {}, "vestibule": {"profile": "directus"}})).unwrap();
        let found = found.expect("it is there");
        assert_eq!(found.place, "app.json (plugins.vestibule)");
        assert_eq!(found.value, json!({"profile": "directus"}));
        assert!(find(json!({"updater": {}, "store": {}})).unwrap().is_none());
        for misspelt in ["vestibul", "Vestibule", "vestibules"] {
            let error = find(json!({"updater": {}, misspelt: {}})).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "app.json: `plugins.{misspelt}` is not read by anything; \
                     did you mean `plugins.vestibule`?"
                )
            );
        }
        // The right one beside it counts.
        assert!(
            find(json!({"vestibul": {}, "vestibule": {}}))
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn a_file_may_be_carried() {
        let section = section(json!({"profile": "mine.toml", "backend": "https://a.example"}));
        assert_eq!(section.file().unwrap().as_deref(), Some("mine.toml"));
        let text = "schema = 1\nextends = 'directus'\nname = 'Mine'";
        let profile = profile_of(&section, Some(("mine.toml", text)));
        assert_eq!(
            (profile.name.as_str(), profile.origin().as_str()),
            ("Mine", "https://a.example")
        );
        let error = section.layers(None).err().expect("it is not carried");
        assert_eq!(error.key, "profile", "{error}");
    }

    #[test]
    fn a_shipped_profile_is_no_file() {
        assert_eq!(
            section(json!({"profile": "directus"})).file().unwrap(),
            None
        );
        assert_eq!(section(json!({})).file().unwrap(), None);
        for (value, nearest) in [(json!("directsu"), Some("directus")), (json!(7), None)] {
            let error = section(json!({"profile": value})).file().unwrap_err();
            assert_eq!(
                (error.place.as_str(), error.key.as_str()),
                (PLACE, "profile")
            );
            assert_eq!(error.nearest.as_deref(), nearest, "{error}");
        }
    }

    #[test]
    fn what_an_app_is_built_with_is_checked_whole() {
        let check = |value: Value, text: Option<&str>| {
            let carried = text.map(|text| ("mine.toml", text));
            section(value)
                .check(carried)
                .map_err(|error| error.to_string())
        };
        let whole = json!({"profile": "directus", "backend": "https://a.example"});
        assert_eq!(check(whole, None), Ok(true));
        assert_eq!(
            check(json!({}), None),
            Ok(true),
            "the contract has an address"
        );
        assert_eq!(check(json!({"profile": "directus"}), None), Ok(false));

        let slip = check(
            json!({"profile": "directus", "otp": {"resend_afters": 4}}),
            None,
        )
        .unwrap_err();
        assert!(
            slip.contains(PLACE) && slip.ends_with("did you mean `otp.resend_after_s`?"),
            "{slip}"
        );
        let address = check(json!({"backend": "ftp://a.example"}), None).unwrap_err();
        assert!(address.contains("`backend`"), "{address}");
        let right = json!({"roles": {"chief": ["people.see"]}, "profile": "mine.toml"});
        let in_file = "schema = 1\nextends = 'directus'\n[roles]\nboss = ['people.sea']";
        let right = check(right, Some(in_file)).unwrap_err();
        assert!(
            right.starts_with("mine.toml: `roles.boss[0]`") && right.contains("people.see"),
            "{right}"
        );
        let file = check(
            json!({"profile": "mine.toml"}),
            Some("schema = 1\nbakend = ''"),
        );
        assert!(file.unwrap_err().starts_with("mine.toml: `bakend`"));
    }
}
