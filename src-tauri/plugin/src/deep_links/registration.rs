//! Registers the scheme of a debug build with the desktop when the app starts; nothing takes that back. A
//! release build registers nothing: its package has done that.

use tauri::AppHandle;

use vestibule_core::deep_links::Scheme;

/// Registers the scheme, on a thread of its own because it runs programs of the desktop.
#[cfg(all(debug_assertions, any(windows, target_os = "linux")))]
pub fn register(app: &AppHandle, scheme: &Scheme) {
    use tauri::Wry;
    use tauri::plugin::Plugin as _;
    use tauri_plugin_deep_link::DeepLinkExt as _;

    // Without its configuration the plugin reads no arguments: it would panic at one that is not text,
    // write a link of another scheme to the log, and tell every page of one of this scheme.
    let mut plugin = tauri_plugin_deep_link::init::<Wry>();
    if let Err(error) = plugin.initialize(app, serde_json::Value::Null) {
        tracing::warn!(%error, "the scheme of links cannot be registered");
        return;
    }
    let (app, scheme) = (app.clone(), scheme.clone());
    tauri::async_runtime::spawn_blocking(move || {
        let scheme = scheme.name();
        match app.deep_link().register(scheme) {
            Ok(()) => tracing::info!(scheme, "this build is registered for its links"),
            Err(error) => tracing::warn!(
                %error,
                scheme,
                "this build could not be registered for its links; they can be pasted"
            ),
        }
    });
}

/// Does nothing.
#[cfg(not(all(debug_assertions, any(windows, target_os = "linux"))))]
pub fn register(_app: &AppHandle, _scheme: &Scheme) {}
