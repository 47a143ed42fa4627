//! Keeps what pages store apart for each account: an app with several accounts has no web storage, because
//! all windows share the engine's, and a window shows several accounts one after the other.
//!
//! On Linux it is switched off in the engine, and with it everything else by which a page of one window
//! reaches a page of another. The storage of a session and `window.name` belong to a window and cannot be
//! switched off; a script empties them before the first page of another account. On macOS and Windows a
//! window keeps what it stores in memory, and that is asked to be removed when it is switched.

use tauri::{AppHandle, Manager as _, WebviewWindow, WebviewWindowBuilder, Wry};

/// Whether this app has several accounts.
pub struct SeveralAccounts(pub bool);

fn is_on(app: &AppHandle) -> bool {
    app.try_state::<SeveralAccounts>().is_some_and(|it| it.0)
}

/// Gives a window a storage of its own, where that is the way. [`finish`] has to follow when the window is
/// built.
pub fn bound<'a>(
    app: &AppHandle,
    builder: WebviewWindowBuilder<'a, Wry, AppHandle>,
) -> WebviewWindowBuilder<'a, Wry, AppHandle> {
    // On Linux such a window cannot be driven over WebDriver.
    match is_on(app) && !cfg!(target_os = "linux") {
        true => builder.incognito(true),
        false => builder,
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

/// Loads the app's first page in place of the page that is there, and makes the window forget its pages:
/// what they have stored and the way back to them. It must be called on the main thread.
///
/// # Errors
/// If the window is gone.
pub fn load_anew(window: &WebviewWindow) -> tauri::Result<()> {
    if is_on(window.app_handle()) {
        return platform::load_anew(window);
    }
    navigate_to_first(window)
}

fn navigate_to_first(window: &WebviewWindow) -> tauri::Result<()> {
    let mut url = window.url()?;
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    window.navigate(url)
}

#[cfg(target_os = "linux")]
mod platform {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::sync::OnceLock;

    use webkit2gtk::glib::Bytes;
    use webkit2gtk::glib::object::ObjectExt as _;
    use webkit2gtk::{
        BackForwardListExt as _, LoadEvent, SettingsExt as _, UserContentInjectedFrames,
        UserContentManagerExt as _, UserScript, UserScriptInjectionTime, WebView, WebViewExt as _,
        WebViewSessionState,
    };

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
        "CookieStoreAPI",
        "ServiceWorkers",
        "SharedWorker",
        "BroadcastChannel",
        "WebLocksAPI",
    ];

    /// The history of a window that has shown the app's first page and no other. WebKit restores no
    /// history without a page.
    static FIRST_PAGE_ONLY: OnceLock<Vec<u8>> = OnceLock::new();

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
            webview.connect_load_changed(|webview, event| {
                if event == LoadEvent::Committed {
                    note_first_page(webview);
                }
            });
        })
    }

    /// Notes the history of the first window as its first page begins, before a script can add to it.
    fn note_first_page(webview: &WebView) {
        let is_first = webview
            .back_forward_list()
            .is_some_and(|history| history.length() == 1);
        if is_first && FIRST_PAGE_ONLY.get().is_none() {
            let history = webview.session_state().and_then(|state| state.serialize());
            match history {
                Some(history) => drop(FIRST_PAGE_ONLY.set(history.to_vec())),
                None => tracing::error!(
                    "the history of a window cannot be read, so it is kept when its account changes"
                ),
            }
        }
    }

    /// Empties what belongs to the window before any script of its next page runs, and of no later one.
    fn empty_before_next_page(webview: &WebView) {
        let Some(manager) = webview.user_content_manager() else {
            tracing::error!(
                "a window has no place for scripts, so the storage of its session is kept"
            );
            return;
        };
        let script = UserScript::new(
            "window.name = ''; sessionStorage.clear();",
            UserContentInjectedFrames::TopFrame,
            UserScriptInjectionTime::Start,
            &[],
            &[],
        );
        manager.add_script(&script);
        let handler = Rc::new(Cell::new(None));
        let own = handler.clone();
        let begun = Cell::new(false);
        let id = webview.connect_load_changed(move |webview, event| match event {
            LoadEvent::Committed => begun.set(true),
            // A load that another one cuts off is finished without having begun a page.
            LoadEvent::Finished if begun.get() => {
                manager.remove_script(&script);
                if let Some(id) = own.take() {
                    webview.disconnect(id);
                }
            }
            _ => {}
        });
        handler.set(Some(id));
    }

    pub fn load_anew(window: &WebviewWindow) -> tauri::Result<()> {
        window.with_webview(|webview| {
            let webview = webview.inner();
            empty_before_next_page(&webview);
            if let Some(history) = FIRST_PAGE_ONLY.get() {
                let history = WebViewSessionState::new(&Bytes::from(history.as_slice()));
                webview.restore_session_state(&history);
            }
        })?;
        // Going to the page of that history instead would load nothing where it is the same document.
        navigate_to_first(window)
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::*;

    pub fn finish(_: &WebviewWindow) -> tauri::Result<()> {
        Ok(())
    }

    pub fn load_anew(window: &WebviewWindow) -> tauri::Result<()> {
        window.clear_all_browsing_data()?;
        navigate_to_first(window)
    }
}
