//! Which profile is examined: what the app that carries the doctor would use, and over it what
//! the command line says.

use std::sync::Arc;

use serde_json::json;
use vestibule_core::profile::{Layer, Profile, ProfileError, load, load_for};
use vestibule_core::transport::DesktopProxy;

use crate::args::Asked;

/// The app that carries the doctor.
pub struct App {
    /// The profiles that it would use now, the last over the others.
    pub layers: Vec<Layer>,
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
    /// Who names a proxy.
    pub desktop: Option<Arc<dyn DesktopProxy>>,
}

/// Chooses; what the app itself would refuse is refused.
///
/// # Errors
/// If what was chosen is not a profile.
pub fn choose(asked: &Asked, app: Option<App>) -> Result<Choice, ProfileError> {
    let permissions = app.as_ref().map(|app| app.permissions);
    let desktop = app.as_ref().and_then(|app| app.desktop.clone());
    let mut layers = app.map_or_else(Vec::new, |app| app.layers);
    if let Some(chosen) = &asked.profile {
        layers.push(match chosen.to_str() {
            Some(name) => Layer::named(format!("--profile {name}"), name)?,
            None => Layer::file(chosen)?,
        });
    }
    if let Some(address) = &asked.backend {
        layers.push(Layer::inline("--backend", json!({"backend": address})));
    }
    let profile = match permissions {
        Some(permissions) => load_for(&layers, permissions)?,
        None => load(&layers)?,
    };
    let places = layers.iter().map(|layer| layer.place().to_owned());
    Ok(Choice {
        profile,
        places: places.collect(),
        desktop,
    })
}
