//! Which profile the doctor examines: the one that the app would use, with the options of the
//! command line over it.

use std::sync::Arc;

use serde_json::json;
use vestibule_core::Policy;
use vestibule_core::profile::{Layer, Profile, ProfileError, load_for};
use vestibule_core::transport::{DesktopProxy, NetworkSettings};
use vestibule_core::wire::{Overridden, PolicyInfo};

use crate::args::Options;

/// The app that carries the doctor.
pub struct App {
    /// The layers of the profile that the app would use now, the policy's among them. The last one
    /// counts first.
    pub layers: Vec<Layer>,
    /// The administrator's policy for this computer.
    pub policy: Option<Policy>,
    /// All rights of the app.
    pub rights: Vec<String>,
    /// What the app asks for the proxy settings of the desktop.
    pub desktop: Option<Arc<dyn DesktopProxy>>,
}

pub(crate) struct Choice {
    pub profile: Profile,
    /// Nobody has named a profile.
    pub is_guess: bool,
    /// The files and options that the profile was made of.
    pub places: Vec<String>,
    pub network: NetworkSettings,
    pub policy: Option<PolicyInfo>,
}

/// Puts the profile together.
///
/// # Errors
/// If the app itself would refuse the profile, or an option changes a key that the policy fixes.
pub(crate) fn choose(options: &Options, app: Option<App>) -> Result<Choice, String> {
    let is_guess = app.is_none() && options.profile.is_none();
    if options.client_id.is_some() && options.issuer.is_none() && !is_guess {
        return Err(
            "--client-id needs --issuer here: the profile names the client of its own provider"
                .into(),
        );
    }
    let (mut layers, policy, rights, desktop) = match app {
        Some(app) => (app.layers, app.policy, Some(app.rights), app.desktop),
        None => (Vec::new(), None, None, None),
    };
    let of_the_app = layers.len();
    layers.extend(layers_of(options, is_guess).map_err(|error| error.to_string())?);
    let rights: Option<Vec<_>> = rights
        .as_ref()
        .map(|rights| rights.iter().map(String::as_str).collect());
    let loaded = load_for(&layers, rights.as_deref()).map_err(|error| error.to_string())?;
    if let Some(policy) = &policy {
        let typed = &layers[of_the_app..];
        let is_typed = |one: &&Overridden| typed.iter().any(|layer| layer.place() == one.place);
        if let Some(Overridden { key, place }) = loaded.overridden.iter().find(is_typed) {
            // An error: the password would go to another backend than the one that was typed.
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
        is_guess,
    })
}

/// The layers that the options add.
fn layers_of(options: &Options, is_guess: bool) -> Result<Vec<Layer>, ProfileError> {
    let mut layers = Vec::new();
    if let Some(chosen) = &options.profile {
        layers.push(match chosen.to_str() {
            Some(name) => Layer::named(format!("--profile {name}"), name)?,
            None => Layer::file(chosen)?,
        });
    }
    // Where nothing else says it, the issuer is the backend too.
    let alone = options.issuer.as_ref().filter(|_| is_guess);
    if let Some(address) = options.backend.as_ref().or(alone) {
        layers.push(Layer::inline("--backend", json!({"backend": address})));
    }
    if let Some(issuer) = &options.issuer {
        let mut section = json!({"kind": "oidc", "issuer": issuer});
        if let Some(client_id) = &options.client_id {
            section["client_id"] = json!(client_id);
        }
        layers.push(Layer::inline("--issuer", json!({ "browser": section })));
    }
    if !options.headers.is_empty() {
        let headers = options.headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), json!(value)));
        let headers: serde_json::Map<_, _> = headers.collect();
        layers.push(Layer::inline("--header", json!({"headers": headers})));
    }
    Ok(layers)
}
