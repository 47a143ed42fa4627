//! Which profile is examined: what the app that carries the doctor would use, and over it what
//! the command line says.

use std::sync::Arc;

use serde_json::json;
use vestibule_core::policy::Policy;
use vestibule_core::profile::{Layer, Profile, ProfileError, load_for};
use vestibule_core::transport::{DesktopProxy, NetworkSettings};
use vestibule_core::wire::{Overridden, PolicyInfo};

use crate::args::Asked;

/// The app that carries the doctor.
pub struct App {
    /// The profiles that it would use now, the last over the others; that of the policy is among
    /// them.
    pub layers: Vec<Layer>,
    /// What the administrator of this computer has set.
    pub policy: Option<Policy>,
    /// All of its permissions.
    pub permissions: &'static [&'static str],
    /// Whom it would ask for a proxy.
    pub desktop: Option<Arc<dyn DesktopProxy>>,
}

/// A profile, and what it was made of.
pub struct Choice {
    /// The profile.
    pub profile: Profile,
    /// Where it is from: files, or what stands for one.
    pub places: Vec<String>,
    /// How the backend is reached.
    pub network: NetworkSettings,
    /// What the administrator of this computer has set.
    pub policy: Option<PolicyInfo>,
}

/// Chooses; what the app itself would refuse is refused.
///
/// # Errors
/// If what was chosen is not a profile, or was asked for here and is not for this user to choose.
pub fn choose(asked: &Asked, app: Option<App>) -> Result<Choice, String> {
    let (mut layers, policy, permissions, desktop) = match app {
        Some(app) => (app.layers, app.policy, Some(app.permissions), app.desktop),
        None => (Vec::new(), None, None, None),
    };
    let of_the_app = layers.len();
    layers.extend(asked_for(asked).map_err(|error| error.to_string())?);
    let loaded = load_for(&layers, permissions).map_err(|error| error.to_string())?;
    if let Some(policy) = &policy {
        let here = &layers[of_the_app..];
        let is_here = |one: &&Overridden| here.iter().any(|layer| layer.place() == one.place);
        if let Some(Overridden { key, place }) = loaded.overridden.iter().find(is_here) {
            // Another backend than the one that was named would hear the password.
            let by = policy.place();
            return Err(format!("{place}: `{key}` is fixed by {by}"));
        }
    }
    let places = layers.iter().map(|layer| layer.place().to_owned());
    Ok(Choice {
        places: places.collect(),
        network: NetworkSettings {
            policy: policy
                .as_ref()
                .map(Policy::network)
                .cloned()
                .unwrap_or_default(),
            desktop,
        },
        policy: policy.map(|policy| policy.info(&loaded)),
        profile: loaded.profile,
    })
}

/// What the command line lays over the app's own.
fn asked_for(asked: &Asked) -> Result<Vec<Layer>, ProfileError> {
    let mut layers = Vec::new();
    if let Some(chosen) = &asked.profile {
        layers.push(match chosen.to_str() {
            Some(name) => Layer::named(format!("--profile {name}"), name)?,
            None => Layer::file(chosen)?,
        });
    }
    if let Some(address) = &asked.backend {
        layers.push(Layer::inline("--backend", json!({"backend": address})));
    }
    Ok(layers)
}
