//! What the administrator of this computer has decided for all of its users: which backend, by
//! which proxy.
//!
//! | system | place |
//! |---|---|
//! | Linux | `/etc/<identifier>/policy.toml` |
//! | macOS | `/Library/Application Support/<identifier>/policy.toml` |
//! | Windows | `HKEY_LOCAL_MACHINE\Software\Policies\<identifier>`: subkeys are tables, values keys |
//!
//! Users cannot write there. A file that a user could have written counts as invalid. So does one
//! that cannot be read or has keys that this build does not know: an app that ran without its
//! policy would do what the policy forbids.

#[cfg(windows)]
mod registry;
#[cfg(any(windows, test))]
mod registry_value;
#[cfg(unix)]
mod root_owned;

use serde::Deserialize;
use serde_json::Value;

use crate::profile::{Layer, Loaded, Mistake, ProfileError, read};
use crate::transport::Network;
use crate::wire::PolicyInfo;

/// The version of a policy that this build reads.
const SCHEMA: u32 = 1;

/// An administrator's policy.
#[derive(Clone)]
pub struct Policy {
    place: String,
    profile: Option<Layer>,
    network: Network,
    network_keys: Vec<String>,
}

/// A policy as it is written in a file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PolicyFile {
    schema: Option<u32>,
    profile: Option<Value>,
    network: Option<Value>,
}

impl Policy {
    /// The policy of this computer for the app with this identifier, if there is one.
    ///
    /// # Errors
    /// If it cannot be read, is not valid, or could have been written by anybody but the
    /// administrator. The error names the file, the key and the reason.
    pub fn find(identifier: &str) -> Result<Option<Self>, ProfileError> {
        #[cfg(unix)]
        let found = root_owned::find(&root_owned::folder(identifier))?;
        #[cfg(windows)]
        let found = registry::find(identifier)?;
        found
            .map(|(place, value)| Self::read(place, &value))
            .transpose()
    }

    /// Reads a policy that was found at `place`.
    pub(crate) fn read(place: String, value: &Value) -> Result<Self, ProfileError> {
        let refused = |mistake: Mistake| mistake.in_place(place.clone());
        let document: PolicyFile = read(value).map_err(refused)?;
        match document.schema {
            Some(SCHEMA) => {}
            None => {
                let reason = format!("is missing: write `schema = {SCHEMA}`");
                return Err(refused(Mistake::new("schema", reason)));
            }
            Some(_) => {
                let reason =
                    format!("is a version that this build does not know: it reads {SCHEMA}");
                return Err(refused(Mistake::new("schema", reason)));
            }
        }
        let profile = document
            .profile
            .map(|section| Layer::policy(format!("{place} (profile)"), section));
        let section = document
            .network
            .unwrap_or_else(|| Value::Object(Default::default()));
        let network: Network = read(&section)
            .and_then(Network::checked)
            .map_err(|mistake| mistake.in_place(format!("{place} (network)")))?;
        let keys = section.as_object().into_iter().flat_map(|keys| keys.keys());
        Ok(Self {
            profile: profile.transpose()?,
            network,
            network_keys: keys.cloned().collect(),
            place,
        })
    }

    /// Where it was found.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Its profile: a layer over what the app was built with, and below what users configure.
    pub fn profile(&self) -> Option<&Layer> {
        self.profile.as_ref()
    }

    /// The part of its profile that holds for workspaces other than the app's own: what pages may call
    /// and for how long (`api`), and the list of fixed keys. The rest describes one backend, and its
    /// headers and bodies may hold what only that backend may know.
    pub fn profile_elsewhere(&self) -> Option<Layer> {
        Some(self.profile.clone()?.only_limits())
    }

    /// Whether it says which backend the app has, so that there is no other workspace.
    pub fn fixes_backend(&self) -> bool {
        let fixes = self.profile.as_ref().map_or(&[][..], Layer::fixes);
        fixes.iter().any(|key| key == "backend")
    }

    /// How the backend is reached: by which proxy.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What the policy does, for people to read; `loaded` is the profile that was made with it.
    pub fn info(&self, loaded: &Loaded) -> PolicyInfo {
        let profile = self.profile.as_ref();
        PolicyInfo {
            place: self.place.clone(),
            sets: profile.map(Layer::sets).unwrap_or_default(),
            fixes: profile.map_or(&[][..], Layer::fixes).to_vec(),
            network: self.network_keys.clone(),
            overrides: loaded.overridden.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
