//! The section `plugins.vestibule` of an app's configuration, which says for which backend the app was
//! built.
//!
//! It names a shipped profile or a file (`profile`), has keys of a profile beside that name, lists the
//! links that open in the browser, and says which workspaces there are besides the app's own. The build
//! script and the start read it with the same code, so that a mistake which the start would find fails
//! the build.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use url::Url;

use super::layer::Layer;
use super::load::{Loaded, load_for};
use super::mistake::{Mistake, ProfileError, nearest};
use super::name::{ProfileName, resolve};
use super::read::read;
use super::workspace_section::OtherWorkspace;
use super::workspace_settings::{ACCOUNTS, Adding, WORKSPACES};
use crate::roles::Roles;

/// The section's name among those of plugins.
const NAME: &str = "vestibule";
/// The key of the configuration under which plugins have their sections.
const PLUGINS: &str = "plugins";
/// The key that names a shipped profile, or a file.
pub(super) const CHOICE: &str = "profile";
/// The key that lists links.
const LINKS: &str = "links";
/// The keys that do not belong to a profile.
const OTHER_KEYS: [&str; 4] = [CHOICE, LINKS, ACCOUNTS, WORKSPACES];
/// The key of the backend's address. It may be left to an administrator or to a file beside the app.
pub(super) const ADDRESS: &str = "backend";
/// The key of what roles may do.
pub(super) const ROLES: &str = "roles";
/// An address that no backend has (RFC 6761 §6.4).
const NO_ADDRESS: &str = "https://backend.invalid";

/// The section, and where it is.
#[derive(Clone, Debug)]
pub struct Section {
    pub(super) place: String,
    pub(super) value: Value,
    /// The workspace that it is read for; `None` for the app's own.
    pub(super) workspace: Option<OtherWorkspace>,
}

/// An empty section: the backend is that of the contract.
impl Default for Section {
    fn default() -> Self {
        Self::new(String::new(), Value::Object(Map::new()))
    }
}

impl Section {
    /// The section at `place`, which errors name.
    pub fn new(place: impl Into<String>, value: Value) -> Self {
        Self {
            place: place.into(),
            value,
            workspace: None,
        }
    }

    /// Finds the section in `plugins` of a configuration, which is in `files`.
    ///
    /// # Errors
    /// If there is none by its name, but one whose name is nearly the same.
    pub fn find<'a>(
        plugins: impl IntoIterator<Item = (&'a String, &'a Value)>,
        files: &str,
    ) -> Result<Option<Self>, ProfileError> {
        let mut misspelt = None;
        for (name, value) in plugins {
            if name == NAME {
                let place = format!("{files} ({PLUGINS}.{NAME})");
                return Ok(Some(Self::new(place, value.clone())));
            }
            if nearest(name, [NAME]).is_some() {
                misspelt = Some(name);
            }
        }
        let Some(name) = misspelt else {
            return Ok(None);
        };
        let mistake = Mistake {
            nearest: Some(format!("{PLUGINS}.{NAME}")),
            ..Mistake::new(format!("{PLUGINS}.{name}"), "is not read by anything")
        };
        Err(mistake.in_place(files))
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

    /// The layers that the section stands for: the profile that it names, and its own keys. `built` is
    /// the one file, name and text, that the app was built with.
    ///
    /// # Errors
    /// If the section names no profile that there is, or a file that is not valid.
    pub fn layers(&self, built: Option<(&str, &str)>) -> Result<Vec<Layer>, ProfileError> {
        match &self.workspace {
            Some(workspace) => workspace.layers(|| self.own_layers(built)),
            None => self.own_layers(built),
        }
    }

    fn own_layers(&self, built: Option<(&str, &str)>) -> Result<Vec<Layer>, ProfileError> {
        let mut layers = Vec::new();
        if let Some(chosen) = self.value.get(CHOICE) {
            layers.push(Layer::chosen(&self.place, CHOICE, chosen, built)?);
        }
        let mut own = self.value.clone();
        if let Some(own) = own.as_object_mut() {
            own.retain(|key, _| !OTHER_KEYS.contains(&key.as_str()));
        }
        layers.push(Layer::beside(&self.place, own, &OTHER_KEYS));
        Ok(layers)
    }

    /// The rights of the app, sorted: those that some table of roles in the section names, be it the
    /// app's own or a workspace's. The check of the profiles reports a table that is not one.
    pub fn rights(&self) -> BTreeSet<String> {
        let rights = |table: &Value| {
            let roles: Roles = serde_json::from_value(table.clone()).unwrap_or_default();
            let rights = roles.rights().into_iter().map(str::to_owned);
            rights.collect::<Vec<_>>()
        };
        self.all_roles().flat_map(rights).collect()
    }

    /// The profile that these layers make for an app with this section: no role has a right that the
    /// section does not name. In a workspace other than the app's own, the address and what roles may do
    /// are the section's, whatever the layers hold.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn load(&self, layers: &[Layer]) -> Result<Loaded, ProfileError> {
        let rights = self.rights();
        let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
        match &self.workspace {
            Some(workspace) => workspace.load(&self.place, layers, &rights),
            None => load_for(layers, Some(&rights)),
        }
    }

    /// The links that open in the system's browser: whole addresses, so that a page cannot add data to
    /// one of them.
    ///
    /// # Errors
    /// If one is not an address of https, or names a user.
    pub fn links(&self) -> Result<Vec<Url>, ProfileError> {
        let Some(listed) = self.value.get(LINKS) else {
            return Ok(Vec::new());
        };
        let refuse = |mistake: Mistake| mistake.in_place(&self.place);
        let Value::Array(listed) = listed else {
            return Err(refuse(Mistake::new(LINKS, "must be a list")));
        };
        let link = |(index, listed): (usize, &Value)| {
            let url = listed.as_str().and_then(|text| Url::parse(text).ok());
            url.filter(|url| url.scheme() == "https" && url.username().is_empty())
                .ok_or_else(|| {
                    let reason = "must be an https address without a user";
                    refuse(Mistake::new(format!("{LINKS}[{index}]"), reason))
                })
        };
        listed.iter().enumerate().map(link).collect()
    }

    /// Checks the section and the layers that it stands for, by the rules of the start and without any
    /// other layer, for the app's own workspace and for each other. Returns whether they have the address
    /// of the app's own backend: without one, an administrator or a file beside the app has to name it.
    /// Nothing else may be left to others.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn check(&self, built: Option<(&str, &str)>) -> Result<bool, ProfileError> {
        self.links()?;
        let settings = self.workspaces()?;
        let has_address = self.check_own(built)?;
        let mut others: Vec<_> = settings.listed.into_iter().map(|it| it.section).collect();
        if settings.adding == Adding::Any
            && let Ok(any) = Url::parse(NO_ADDRESS)
        {
            others.push(self.of_added(&any));
        }
        for other in others {
            other.load(&other.layers(built)?)?;
        }
        Ok(has_address)
    }

    fn check_own(&self, built: Option<(&str, &str)>) -> Result<bool, ProfileError> {
        let mut layers = self.layers(built)?;
        let checked = self.load(&layers);
        if checked.as_ref().is_err_and(|error| error.key == ADDRESS)
            && !layers.iter().any(|layer| layer.sets_key(ADDRESS))
        {
            layers.push(Layer::inline(&self.place, json!({ADDRESS: NO_ADDRESS})));
            return self.load(&layers).map(|_| false);
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

    fn profile_of(section: &Section, built: Option<(&str, &str)>) -> Profile {
        let layers = section.layers(built).unwrap();
        load_for(&layers, None).unwrap().profile
    }

    #[test]
    fn a_section_is_found_by_its_name_and_a_misspelt_one_is_not_overlooked() {
        let find = |sections: Value| {
            let sections = sections.as_object().unwrap().clone();
            Section::find(&sections, "app.json")
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
    fn a_file_may_be_built() {
        let section = section(json!({"profile": "mine.toml", "backend": "https://a.example"}));
        assert_eq!(section.file().unwrap().as_deref(), Some("mine.toml"));
        let text = "schema = 1\nextends = 'directus'\nname = 'Mine'";
        let profile = profile_of(&section, Some(("mine.toml", text)));
        assert_eq!(
            (profile.name.as_str(), profile.origin().as_str()),
            ("Mine", "https://a.example")
        );
        let error = section.layers(None).err().expect("it is not built");
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
            let built = text.map(|text| ("mine.toml", text));
            section(value)
                .check(built)
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
        let links = check(
            json!({"links": ["https://a.example/", "http://a.example/"]}),
            None,
        );
        assert!(links.unwrap_err().contains("`links[1]`"));
        let file = check(
            json!({"profile": "mine.toml"}),
            Some("schema = 1\nbakend = ''"),
        );
        assert!(file.unwrap_err().starts_with("mine.toml: `bakend`"));
    }

    #[test]
    fn a_link_is_an_https_address_and_nobodys() {
        let links = |value: Value| section(json!({"links": value})).links();
        assert!(section(json!({})).links().unwrap().is_empty());
        let known = links(json!(["https://example.com/help"])).unwrap();
        assert_eq!(known, [Url::parse("https://example.com/help").unwrap()]);
        for (wrong, key) in [
            (json!("https://example.com/"), "links"),
            (json!(null), "links"),
            (json!([1]), "links[0]"),
            (json!(["https://example.com/", "example.com"]), "links[1]"),
            (json!(["http://example.com/"]), "links[0]"),
            (json!(["file:///etc/passwd"]), "links[0]"),
            (json!(["https://a:b@example.com/"]), "links[0]"),
        ] {
            let error = links(wrong.clone()).unwrap_err();
            assert_eq!(
                (error.place.as_str(), error.key.as_str()),
                (PLACE, key),
                "{wrong}"
            );
        }
    }
}
