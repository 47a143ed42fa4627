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
        load_for(&layers, Some(rights)).map_err(|error| match error.place == self.place {
            true => ProfileError {
                place: place.to_owned(),
                key: format!("{}.{}", self.at, error.key),
                ..error
            },
            false => error,
        })
    }
}
