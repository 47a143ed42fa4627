//! The section as it is read for a workspace other than the app's own: the app's profile, or a shipped
//! one, with another address and other roles.
//!
//! These two keys are the workspace's own whatever other layers hold. A workspace that a person has
//! chosen by its address never speaks to another one. And what a role may do in the app was written for
//! the roles of one backend: another backend, which names its roles itself, gives nobody a right by that.

use serde_json::{Value, json};
use url::Url;

use super::layer::Layer;
use super::load::{Loaded, load_for};
use super::mistake::{Mistake, ProfileError};
use super::section::{ADDRESS, ROLES, Section};
use super::workspace_settings::WORKSPACES;

/// The keys that a workspace does not share with the app's own.
const OWN_KEYS: [&str; 2] = [ADDRESS, ROLES];

/// A workspace other than the app's own.
#[derive(Clone, Debug)]
pub(super) struct OtherWorkspace {
    /// Where it is in the section, such as `workspaces.list[0]`.
    at: String,
    /// Whether a person has added it by its address.
    is_added: bool,
    /// The shipped profile that it has in place of the app's.
    profile: Option<String>,
    /// Where its own keys are, for errors.
    place: String,
    /// Its own keys.
    own: Value,
}

impl Section {
    /// The section of a workspace that a person adds by its address: it is loaded with the app's own
    /// profile, at this base address.
    #[must_use]
    pub fn of_added(&self, address: &Url) -> Self {
        self.of_workspace(WORKSPACES, None, address, self.added_roles())
    }

    /// The section of the workspace that is `at` this key.
    pub(super) fn of_workspace(
        &self,
        at: &str,
        profile: Option<String>,
        address: &Url,
        roles: Option<Value>,
    ) -> Self {
        let roles = roles.unwrap_or_else(|| json!({}));
        let own = json!({ADDRESS: address.as_str(), ROLES: roles});
        let workspace = OtherWorkspace {
            at: at.to_owned(),
            is_added: at == WORKSPACES,
            profile,
            place: format!("{}: {at}", self.place),
            own,
        };
        Self {
            workspace: Some(workspace),
            ..self.clone()
        }
    }
}

impl OtherWorkspace {
    /// The layers that the section stands for; `app` are those of the app's own workspace.
    pub(super) fn layers(
        &self,
        app: impl FnOnce() -> Result<Vec<Layer>, ProfileError>,
    ) -> Result<Vec<Layer>, ProfileError> {
        let mut layers = match &self.profile {
            Some(name) => vec![Layer::named(self.place.as_str(), name)?],
            None => app()?
                .into_iter()
                .map(|layer| layer.without(&OWN_KEYS))
                .collect(),
        };
        layers.push(self.own_layer());
        Ok(layers)
    }

    fn own_layer(&self) -> Layer {
        Layer::inline(self.place.as_str(), self.own.clone())
    }

    /// The profile that these layers make; `place` is the section's.
    pub(super) fn load(
        &self,
        place: &str,
        layers: &[Layer],
        rights: &[&str],
    ) -> Result<Loaded, ProfileError> {
        let others = layers.iter().filter(|layer| layer.place() != self.place);
        for layer in others {
            if let Some(key) = OWN_KEYS.into_iter().find(|key| layer.sets_key(key)) {
                let reason = "belongs to the workspace: tauri.conf.json, or the person who added the \
                              workspace, says it";
                return Err(Mistake::new(key, reason).in_place(layer.place()));
            }
        }
        // Once more at the top, because a layer between may start anew from another profile.
        let layers = [layers, &[self.own_layer()]].concat();
        let loaded =
            load_for(&layers, Some(rights)).map_err(|error| match error.place == self.place {
                true => ProfileError {
                    place: place.to_owned(),
                    key: format!("{}.{}", self.at, error.key),
                    ..error
                },
                false => error,
            })?;
        if self.is_added
            && let Some((key, reason)) = loaded.profile.not_for_added()
        {
            let mut down = layers.iter().rev();
            let layer = down.find(|layer| layer.sets().contains(&key));
            let place = layer.map_or(place, Layer::place);
            return Err(Mistake::new(key, reason).in_place(place));
        }
        Ok(loaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    const PLACE: &str = "app.json (plugins.auth)";
    const MINE: (&str, &str) = (
        "mine.toml",
        "schema = 1
         name = 'Mine'
         backend = 'https://mine.example'
         [roles]
         admin = ['people.see']
         [endpoints.login]
         path = '/mine'",
    );

    /// An app with a profile of its own, and two workspaces in its list.
    fn app() -> Section {
        Section::new(
            PLACE,
            json!({
                "profile": "mine.toml",
                "backend": "https://app.example",
                "roles": {"admin": ["people.see", "people.export"]},
                "headers": {"x-app": "1"},
                "accounts": 9,
                "workspaces": {
                    "adding": "any",
                    "roles": {"owner": ["people.see"]},
                    "list": [
                        {"id": "same", "name": "Same", "backend": "https://same.example/v1"},
                        {
                            "id": "other", "name": "Other", "backend": "https://other.example",
                            "profile": "directus", "roles": {"chief": ["people.export"]},
                        },
                    ],
                },
            }),
        )
    }

    fn listed(id: &str) -> Section {
        let settings = app().workspaces().unwrap();
        let found = settings.listed.into_iter().find(|it| it.id == id);
        found.expect("it is in the list").section
    }

    fn added() -> Section {
        app().of_added(&Url::parse("https://added.example/").unwrap())
    }

    /// The profile of a workspace with these layers over what the app was built with.
    fn with(section: &Section, more: &[Layer]) -> Result<Profile, ProfileError> {
        let mut layers = section.layers(Some(MINE)).unwrap();
        layers.extend_from_slice(more);
        section.load(&layers).map(|loaded| loaded.profile)
    }

    fn may(profile: &Profile, role: &str) -> Vec<String> {
        profile.roles.grant(&[role.to_owned()])
    }

    #[test]
    fn the_apps_profile_serves_other_addresses_and_its_roles_stay_at_home() {
        assert_eq!(app().check(Some(MINE)), Ok(true));
        let own = with(&app(), &[]).unwrap();
        assert_eq!(own.origin(), "https://app.example");
        assert_eq!(may(&own, "admin"), ["people.export", "people.see"]);
        assert!(may(&own, "owner").is_empty() && may(&own, "chief").is_empty());

        for (section, base) in [
            (listed("same"), "https://same.example/v1"),
            (added(), "https://added.example/"),
        ] {
            let profile = with(&section, &[]).unwrap();
            assert_eq!(profile.backend.as_str(), base);
            assert_eq!(profile.name, "Mine");
            let login = profile.endpoints.login.get().expect("it has one");
            assert_eq!(login.path.source(), "/mine", "the app's own profile");
            assert_eq!(profile.headers.len(), 1);
            assert!(may(&profile, "admin").is_empty(), "{base}");
        }
        assert!(may(&with(&listed("same"), &[]).unwrap(), "owner").is_empty());
        assert_eq!(may(&with(&added(), &[]).unwrap(), "owner"), ["people.see"]);
    }

    #[test]
    fn a_shipped_profile_takes_nothing_from_the_app() {
        let profile = with(&listed("other"), &[]).unwrap();
        assert_eq!(profile.name, "Directus");
        assert_eq!(profile.origin(), "https://other.example");
        assert!(profile.headers.is_empty());
        assert_eq!(may(&profile, "chief"), ["people.export"]);
        assert!(may(&profile, "admin").is_empty());
    }

    #[test]
    fn no_layer_leads_a_workspace_elsewhere_or_gives_its_roles_a_right() {
        for section in [listed("same"), listed("other"), added()] {
            let home = with(&section, &[]).unwrap();
            for (key, value) in [
                ("backend", json!("https://evil.example")),
                ("roles", json!({"admin": ["people.see"]})),
            ] {
                let layer = Layer::inline("profile.toml", json!({key: value}));
                let error = with(&section, &[layer]).unwrap_err();
                assert_eq!(
                    (error.place.as_str(), error.key.as_str()),
                    ("profile.toml", key)
                );
            }
            // To start anew would take the contract's own address.
            for name in ["contract", "supabase"] {
                let anew = Layer::inline("profile.toml", json!({"extends": name, "name": "New"}));
                let profile = with(&section, &[anew]).unwrap();
                assert_eq!(profile.name, "New");
                assert_eq!(profile.backend, home.backend, "{name}");
                assert_eq!(
                    profile.roles.iter().collect::<Vec<_>>(),
                    home.roles.iter().collect::<Vec<_>>(),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn an_added_workspace_speaks_to_its_own_address_alone() {
        let elsewhere = json!({"origin": "https://identity.example"});
        for (endpoint, key) in [
            (elsewhere.clone(), "endpoints.login.origin"),
            (
                json!({"before": {"path": "/x", "origin": "https://identity.example"}}),
                "endpoints.login.before.origin",
            ),
        ] {
            let endpoints = json!({"endpoints": {"login": endpoint}});
            let layer = Layer::inline("profile.toml", endpoints.clone());
            let error = with(&added(), std::slice::from_ref(&layer)).unwrap_err();
            assert_eq!(
                (error.place.as_str(), error.key.as_str()),
                ("profile.toml", key)
            );
            assert!(with(&listed("same"), &[layer]).is_ok(), "the app lists it");
            let mut value = app().value;
            value["endpoints"] = endpoints["endpoints"].clone();
            let error = Section::new(PLACE, value).check(Some(MINE)).unwrap_err();
            assert_eq!((error.place.as_str(), error.key.as_str()), (PLACE, key));
        }
        let own = json!({"endpoints": {"login": {"origin": "https://added.example"}}});
        let own = Layer::inline("profile.toml", own);
        assert!(with(&added(), &[own]).is_ok(), "its own is no other");
    }

    #[test]
    fn an_added_workspace_has_no_redirect_that_does_not_name_its_server() {
        let browser = json!({"kind": "better-auth", "parameters": {"provider": "a"}});
        let layer = Layer::inline("profile.toml", json!({ "browser": browser }));
        let error = with(&added(), std::slice::from_ref(&layer)).unwrap_err();
        assert_eq!(
            (error.place.as_str(), error.key.as_str()),
            ("profile.toml", "browser.kind")
        );
        assert!(error.to_string().contains("list the workspaces"), "{error}");
        assert!(with(&listed("same"), &[layer]).is_ok(), "the app lists it");
        let mut value = app().value;
        value["profile"] = json!("better-auth-desktop");
        value["browser"] = json!({"parameters": {"provider": "a"}});
        let section = Section::new(PLACE, value.clone());
        let error = section.check(None).unwrap_err();
        assert_eq!(error.key, "browser.kind", "{error}");
        let list = value["workspaces"]["list"].clone();
        value["workspaces"] = json!({"adding": "listed", "list": list});
        assert_eq!(Section::new(PLACE, value).check(None), Ok(true));
    }

    #[test]
    fn a_mistake_has_the_key_and_the_place_where_it_was_written() {
        let slip = Layer::inline("profile.toml", json!({"otp": {"resend_afters": 4}}));
        let error = with(&added(), &[slip]).unwrap_err();
        assert_eq!(
            (error.place.as_str(), error.key.as_str()),
            ("profile.toml", "otp.resend_afters")
        );
        let mut value = app().value;
        value["workspaces"]["list"][1]["roles"]["chief"][0] = json!("People");
        let error = Section::new(PLACE, value).check(Some(MINE)).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!(
                "{PLACE}: `workspaces.list[1].roles.chief[0]` must be"
            )),
            "{error}"
        );
        // What is the app's own is told as the app's own.
        let mut value = app().value;
        value["otp"] = json!({"resend_afters": 4});
        let error = Section::new(PLACE, value).check(Some(MINE)).unwrap_err();
        assert_eq!(
            (error.place.as_str(), error.key.as_str()),
            (PLACE, "otp.resend_afters")
        );
    }

    #[test]
    fn no_shipped_profile_has_roles() {
        for shipped in crate::profile::SHIPPED {
            let layer = Layer::shipped(shipped.name).expect("it is there");
            assert!(!layer.sets_key(ROLES), "{}", shipped.name);
        }
    }
}
