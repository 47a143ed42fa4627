//! Which backend: `plugins.vestibule` in `tauri.conf.json`; in debug and e2e builds the
//! variable `VESTIBULE_BACKEND` overrides the address.

use tauri::Config;
use vestibule_core::profile::{Profile, ProfileError};

const SECTION: &str = "vestibule";

/// Reads the profile.
pub fn profile(config: &Config) -> Result<Profile, ProfileError> {
    let mut profile = match config.plugins.0.get(SECTION) {
        Some(section) => Profile::from_json(section.clone())?,
        None => Profile::default(),
    };
    if cfg!(debug_assertions) {
        // The login page of a development build offers the bundled backend's accounts.
        profile.api.allow.push("/demo-accounts".into());
    }
    match backend_override() {
        Some(address) => profile.with_backend(&address),
        None => Ok(profile),
    }
}

#[cfg(any(debug_assertions, feature = "e2e"))]
fn backend_override() -> Option<String> {
    std::env::var("VESTIBULE_BACKEND").ok()
}

#[cfg(not(any(debug_assertions, feature = "e2e")))]
fn backend_override() -> Option<String> {
    None
}
