//! What a person has chosen about the app itself. `tauri-plugin-store` keeps it in a plain text
//! file, so nothing that belongs to a session may be stored here.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tauri::{AppHandle, Runtime};
use tauri_plugin_store::{Error, Store, StoreExt as _};
use vestibule_core::wire::Theme;

use crate::windows;

const FILE: &str = "preferences.json";
const THEME: &str = "theme";
const REPORTS: &str = "reports";

/// The chosen theme, or the system's where none was chosen or the file cannot be read.
pub fn theme<R: Runtime>(app: &AppHandle<R>) -> Theme {
    get(app, THEME).unwrap_or_default()
}

/// Keeps the theme and applies it to every window.
pub fn set_theme<R: Runtime>(app: &AppHandle<R>, theme: Theme) -> Result<(), Error> {
    set(app, THEME, theme)?;
    apply(app);
    Ok(())
}

/// Applies the chosen theme to every window. A page follows it by `prefers-color-scheme`.
pub fn apply<R: Runtime>(app: &AppHandle<R>) {
    app.set_theme(match theme(app) {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    });
    windows::set_backgrounds(app);
}

/// Whether the user has agreed to reports of failures.
pub fn reports<R: Runtime>(app: &AppHandle<R>) -> bool {
    get(app, REPORTS).unwrap_or(false)
}

/// Keeps whether the user agrees to reports of failures.
pub fn set_reports<R: Runtime>(app: &AppHandle<R>, on: bool) -> Result<(), Error> {
    set(app, REPORTS, on)
}

/// The preferences. How they are written is said here, because the app may have registered the store
/// plugin itself, with functions of its own for all stores.
fn store<R: Runtime>(app: &AppHandle<R>) -> Result<Arc<Store<R>>, Error> {
    app.store_builder(FILE)
        .serialize(|values| Ok(serde_json::to_vec_pretty(values)?))
        .deserialize(|bytes| Ok(serde_json::from_slice(bytes)?))
        .build()
}

fn get<R: Runtime, T: DeserializeOwned>(app: &AppHandle<R>, name: &str) -> Option<T> {
    let store = store(app).inspect_err(|error| {
        tracing::warn!(%error, "the preferences cannot be read; the defaults apply");
    });
    let value = store.ok()?.get(name)?;
    serde_json::from_value(value).ok()
}

fn set<R: Runtime>(app: &AppHandle<R>, name: &str, value: impl Serialize) -> Result<(), Error> {
    let store = store(app)?;
    store.set(name, serde_json::json!(value));
    store.save()
}
