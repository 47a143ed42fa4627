//! The ways by which a page sends messages to the app, and their bounds.
//!
//! The engine hands a whole message to the app's process, which holds it several times over before
//! the app can refuse it. So messages are bounded in the page's process, by `page/bounded_fetch.js`.
//!
//! On Linux the page itself has no way to the app: its policy forbids every connection, and the
//! engine's message handler is taken away. A script in a world of its own sends the page's calls
//! (`page/script_world.js`), which the page hands over as events (`page/page_calls.js`). So the
//! bounds hold also in a frame whose page the policy refused: it stays as an empty document, in
//! which the engine runs no script of ours.
//!
//! On macOS and Windows the bounds replace the functions of the page (`page/page_ways.js`), in every
//! frame in which the engine runs scripts of an app.

use tauri::{AppHandle, WebviewWindow, WebviewWindowBuilder, Wry};

/// Bounds the ways of a page. [`finish`] has to follow when the window is built.
pub fn bound<'a>(
    builder: WebviewWindowBuilder<'a, Wry, AppHandle>,
) -> WebviewWindowBuilder<'a, Wry, AppHandle> {
    #[cfg(target_os = "linux")]
    if !replaces_page_functions() {
        return script_world::bound(builder);
    }
    #[cfg(any(not(target_os = "linux"), feature = "e2e"))]
    let builder = builder.initialization_script_for_all_frames(concat!(
        "(() => {",
        include_str!("page/longest_message.js"),
        include_str!("page/bounded_fetch.js"),
        include_str!("page/page_ways.js"),
        "boundPageWays(makeBoundedFetch());})();",
    ));
    builder
}

/// Completes what [`bound`] began. It must be called in the same turn of the main thread that built
/// the window, so that it takes effect before the first page.
///
/// # Errors
/// If the window is gone.
pub fn finish(window: &WebviewWindow) -> tauri::Result<()> {
    #[cfg(target_os = "linux")]
    if !replaces_page_functions() {
        return script_world::finish(window);
    }
    let _ = window;
    Ok(())
}

/// Whether a test asks for the bounds of macOS and Windows, which cannot be tested there.
#[cfg(target_os = "linux")]
fn replaces_page_functions() -> bool {
    cfg!(feature = "e2e") && std::env::var_os("VESTIBULE_E2E_PAGE_WAYS").is_some()
}

#[cfg(target_os = "linux")]
mod script_world {
    use tauri::http::HeaderValue;
    use tauri::http::header::CONTENT_SECURITY_POLICY;
    use webkit2gtk::{
        UserContentInjectedFrames, UserContentManagerExt as _, UserScript, UserScriptInjectionTime,
        WebViewExt as _,
    };

    use super::*;

    const WORLD: &str = "vestibule";
    /// The handler that Tauri's window library registers in the page's world.
    const HANDLER: &str = "ipc";

    const PAGE_SCRIPT: &str = concat!(
        "(() => {",
        include_str!("page/longest_message.js"),
        include_str!("page/page_calls.js"),
        "sendCallsByEvent();})();",
    );
    const WORLD_SCRIPT: &str = concat!(
        "(() => {",
        include_str!("page/longest_message.js"),
        include_str!("page/bounded_fetch.js"),
        include_str!("page/script_world.js"),
        "sendPageCalls(makeBoundedFetch());})();",
    );

    /// Forbids the page every connection, and gives it a `fetch` that hands its calls to the script
    /// in the other world.
    pub fn bound<'a>(
        builder: WebviewWindowBuilder<'a, Wry, AppHandle>,
    ) -> WebviewWindowBuilder<'a, Wry, AppHandle> {
        builder
            .initialization_script(PAGE_SCRIPT)
            .on_web_resource_request(|_, response| {
                // Of several policies each must allow a connection, so the app's own stays as it is.
                let policy = HeaderValue::from_static("connect-src 'none'");
                response
                    .headers_mut()
                    .append(CONTENT_SECURITY_POLICY, policy);
            })
    }

    /// Takes the engine's message handler away from the page, and puts the script that sends its
    /// calls into a world of its own.
    pub fn finish(window: &WebviewWindow) -> tauri::Result<()> {
        window.with_webview(|webview| {
            let Some(manager) = webview.inner().user_content_manager() else {
                tracing::error!(
                    "a window has no place for scripts, so its page cannot call the app"
                );
                return;
            };
            manager.unregister_script_message_handler(HANDLER);
            manager.add_script(&UserScript::for_world(
                WORLD_SCRIPT,
                UserContentInjectedFrames::TopFrame,
                UserScriptInjectionTime::Start,
                WORLD,
                &[],
                &[],
            ));
        })
    }
}
