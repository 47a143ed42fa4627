//! What a person chose about the app itself: kept by `tauri-plugin-store`, which writes
//! lazily and in plain text, so nothing of a session belongs here.

use tauri::{AppHandle, Runtime};
use tauri_plugin_store::StoreExt as _;
use vestibule_core::wire::Theme;

const FILE: &str = "preferences.json";
const THEME: &str = "theme";

/// The chosen theme; the system's if none was chosen or the file cannot be read.
pub fn theme<R: Runtime>(app: &AppHandle<R>) -> Theme {
    app.store(FILE)
        .ok()
        .and_then(|store| store.get(THEME))
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default()
}

/// Keeps the theme and applies it to every window.
pub fn set_theme<R: Runtime>(
    app: &AppHandle<R>,
    theme: Theme,
) -> Result<(), tauri_plugin_store::Error> {
    let store = app.store(FILE)?;
    store.set(THEME, serde_json::json!(theme));
    store.save()?;
    apply(app);
    Ok(())
}

/// Applies the chosen theme: the page follows through `prefers-color-scheme`.
pub fn apply<R: Runtime>(app: &AppHandle<R>) {
    app.set_theme(match theme(app) {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    });
}
