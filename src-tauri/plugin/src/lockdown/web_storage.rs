//! Keeps what pages store apart for each account: an app with several accounts has no web storage, because
//! all windows share the engine's, and a window shows several accounts one after the other.
//!
//! On Linux it is switched off in the engine, and with it everything else by which a page of one window
//! reaches a page of another. The storage of a session and `window.name` belong to a window and cannot be
//! switched off; a script empties them before each page. On macOS and Windows each window keeps what it
//! stores in memory, and that is removed when it is switched to another account.

use tauri::{AppHandle, Manager as _, WebviewWindow, WebviewWindowBuilder, Wry};

/// Whether this app has several accounts.
pub struct SeveralAccounts(pub bool);

fn is_on(app: &AppHandle) -> bool {
    app.try_state::<SeveralAccounts>().is_some_and(|it| it.0)
}

/// Takes what a page would leave to the next one of its window. [`finish`] has to follow when the window
/// is built.
pub fn bound<'a>(
    app: &AppHandle,
    builder: WebviewWindowBuilder<'a, Wry, AppHandle>,
) -> WebviewWindowBuilder<'a, Wry, AppHandle> {
    if !is_on(app) {
        return builder;
    }
    let builder = builder.initialization_script("window.name = ''; sessionStorage.clear();");
    // On Linux such a window cannot be driven over WebDriver.
    match cfg!(target_os = "linux") {
        true => builder,
        false => builder.incognito(true),
    }
}

/// Completes what [`bound`] began. It must be called in the same turn of the main thread that built the
/// window.
///
/// # Errors
/// If the window is gone.
pub fn finish(window: &WebviewWindow) -> tauri::Result<()> {
    match is_on(window.app_handle()) {
        true => platform::finish(window),
        false => Ok(()),
    }
}

/// Makes a window forget its pages: what they have stored and the way back to them. It must be called on
/// the main thread.
///
/// # Errors
/// If the window is gone.
pub fn forget_pages(window: &WebviewWindow) -> tauri::Result<()> {
    match is_on(window.app_handle()) {
        true => platform::forget_pages(window),
        false => Ok(()),
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::sync::OnceLock;

    use webkit2gtk::glib::Bytes;
    use webkit2gtk::{SettingsExt as _, WebViewExt as _, WebViewSessionState};

    use super::*;
    use crate::lockdown::engine;

    /// What stores, and what reaches other windows' pages, by WebKit's own names.
    const STORAGE: &[&str] = &[
        "LocalStorage",
        "IndexedDBAPI",
        "CacheAPI",
        "FileSystem",
        "AccessHandle",
        "StorageAPI",
        "CookieEnabled",
        "CookieStoreAPI",
        "ServiceWorkers",
        "SharedWorker",
        "BroadcastChannel",
        "WebLocksAPI",
    ];

    /// The history of a window that has shown no page yet.
    static NO_HISTORY: OnceLock<Vec<u8>> = OnceLock::new();

    pub fn finish(window: &WebviewWindow) -> tauri::Result<()> {
        engine::switch_off(window, STORAGE)?;
        window.with_webview(|webview| {
            let webview = webview.inner();
            if let Some(settings) = webview.settings() {
                // These are older than the list of features.
                settings.set_enable_html5_local_storage(false);
                settings.set_enable_html5_database(false);
                // A page that is left is not kept for the way back.
                settings.set_enable_page_cache(false);
            }
            let history = webview.session_state().and_then(|state| state.serialize());
            match history {
                Some(history) => drop(NO_HISTORY.set(history.to_vec())),
                None => tracing::error!("the history of a new window cannot be read"),
            }
        })
    }

    pub fn forget_pages(window: &WebviewWindow) -> tauri::Result<()> {
        window.with_webview(|webview| {
            if let Some(history) = NO_HISTORY.get() {
                let history = WebViewSessionState::new(&Bytes::from(history.as_slice()));
                webview.inner().restore_session_state(&history);
            }
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::*;

    pub fn finish(_: &WebviewWindow) -> tauri::Result<()> {
        Ok(())
    }

    pub fn forget_pages(window: &WebviewWindow) -> tauri::Result<()> {
        window.clear_all_browsing_data()
    }
}
