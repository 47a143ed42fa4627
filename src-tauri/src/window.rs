//! Windows: hidden until their page is ready, and back where they were at the next start. What
//! their pages cannot do is in `fence`.

use std::sync::mpsc;
use std::time::Duration;

#[cfg(target_os = "linux")]
use tauri::Webview;
use tauri::plugin::TauriPlugin;
use tauri::webview::{Color, PageLoadEvent};
use tauri::{
    AppHandle, Manager as _, Runtime, Theme, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    Window, WindowEvent, Wry, async_runtime,
};
use tauri_plugin_window_state::StateFlags;
use uuid::Uuid;
use vestibule_core::error::AuthError;
use vestibule_core::exchanges::Exchanges;
use vestibule_core::wire::Theme as Chosen;

use crate::commands::internal;
use crate::{bounds, elsewhere, fence, preferences};

const MAIN: &str = "main";
/// The page's `--ground` in `frontend/app/globals.css`, light and dark.
const GROUND_LIGHT: Color = Color(0xf6, 0xf6, 0xf3, 0xff);
const GROUND_DARK: Color = Color(0x11, 0x14, 0x13, 0xff);
/// The most characters of a page's title that its window has.
const TITLE: usize = 200;
/// A window is shown after this time even if its page never says that it is ready.
const SHOW_ANYWAY: Duration = Duration::from_millis(1500);

/// Opens the first window.
pub fn open_first(app: &AppHandle) -> tauri::Result<()> {
    open(app, MAIN)?;
    // One more for a test, under a name that no capability knows.
    #[cfg(feature = "e2e")]
    if let Ok(label) = std::env::var("VESTIBULE_E2E_WINDOW") {
        open(app, &label)?;
    }
    Ok(())
}

/// Opens one more window.
///
/// # Errors
/// If there are [`bounds::WINDOWS`] already, or the engine gives none.
pub fn open_another(app: &AppHandle) -> Result<(), AuthError> {
    let _room = bounds::one_window_more(app)?;
    let label = match app.get_webview_window(MAIN) {
        None => MAIN.to_owned(),
        Some(_) => format!("window-{}", Uuid::new_v4()),
    };
    open(app, &label).map_err(internal)
}

/// Opens a window in one turn of the main thread: there the fence is complete before the page
/// begins.
fn open(app: &AppHandle, label: &str) -> tauri::Result<()> {
    let (tell, opened) = mpsc::channel();
    let (handle, label) = (app.clone(), label.to_owned());
    app.run_on_main_thread(move || {
        let _ = tell.send(open_in_this_turn(&handle, &label));
    })?;
    // An app that ends drops the task.
    let opened = opened.recv();
    opened.unwrap_or(Err(tauri::Error::FailedToReceiveMessage))
}

fn open_in_this_turn(app: &AppHandle, label: &str) -> tauri::Result<()> {
    let title = app.config().product_name.clone().unwrap_or_default();
    let builder = WebviewWindowBuilder::new(app, label, WebviewUrl::default())
        .title(title)
        .inner_size(1120.0, 760.0)
        .min_inner_size(420.0, 480.0)
        .visible(false)
        .on_page_load(|window, load| {
            if load.event() == PageLoadEvent::Started {
                window.state::<Exchanges>().leave(window.label());
            }
        })
        .on_document_title_changed(|window, title| {
            // A script can make it as long as it likes, and the system keeps what it is given.
            let shown: String = title.chars().take(TITLE).collect();
            // Between two pages there is none.
            if !shown.is_empty()
                && let Err(error) = window.set_title(&shown)
            {
                tracing::warn!(%error, "a window does not take its page's title");
            }
        });
    let builder = match elsewhere::folder(app) {
        Some(folder) => builder.data_directory(folder),
        None => builder,
    };
    #[cfg(feature = "e2e")]
    let builder = match e2e_script() {
        Some(script) => builder.initialization_script(script),
        None => builder,
    };
    let window = fence::build(builder, app)?;
    lay_ground(&window)?;
    async_runtime::spawn(async move {
        tokio::time::sleep(SHOW_ANYWAY).await;
        show(&window);
    });
    Ok(())
}

/// What is seen until a page is drawn: its own ground, not a white flash.
fn lay_ground<R: Runtime>(window: &WebviewWindow<R>) -> tauri::Result<()> {
    let dark = match preferences::theme(window.app_handle()) {
        Chosen::Dark => true,
        Chosen::Light => false,
        Chosen::System => matches!(window.theme(), Ok(Theme::Dark)),
    };
    let ground = Some(if dark { GROUND_DARK } else { GROUND_LIGHT });
    // On Linux the menu stands on the window itself, whose colour is the system's to choose.
    #[cfg(target_os = "linux")]
    AsRef::<Webview<R>>::as_ref(window).set_background_color(ground)?;
    #[cfg(not(target_os = "linux"))]
    window.set_background_color(ground)?;
    Ok(())
}

/// Does so in every window, when the theme is another.
pub fn lay_grounds<R: Runtime>(app: &AppHandle<R>) {
    for window in app.webview_windows().values() {
        if let Err(error) = lay_ground(window) {
            tracing::warn!(%error, "a window keeps its ground");
        }
    }
}

/// A test's own script, run in each page before the page's scripts: a file named by
/// `VESTIBULE_E2E_SCRIPT`.
#[cfg(feature = "e2e")]
fn e2e_script() -> Option<String> {
    std::fs::read_to_string(std::env::var_os("VESTIBULE_E2E_SCRIPT")?).ok()
}

/// What a window had under way ends with it, and its ground follows the system's theme.
pub fn on_event(window: &Window, event: &WindowEvent) {
    match event {
        WindowEvent::Destroyed => window.state::<Exchanges>().leave(window.label()),
        WindowEvent::ThemeChanged(_) => lay_grounds(window.app_handle()),
        _ => {}
    }
}

/// Shows a window that is still hidden. Later calls change nothing: a page that reloads
/// must not take the focus.
pub fn show(window: &WebviewWindow) {
    if window.is_visible().unwrap_or(false) {
        return;
    }
    if let Err(error) = window.show().and_then(|()| window.set_focus()) {
        tracing::error!(%error, "a window cannot be shown");
    }
}

/// Brings a window to the front, or opens one.
pub fn focus_any(app: &AppHandle) {
    let windows = app.webview_windows();
    let window = windows.get(MAIN).or_else(|| windows.values().next());
    let result = match window {
        Some(window) => window
            .unminimize()
            .and_then(|()| window.show())
            .and_then(|()| window.set_focus())
            .map_err(internal),
        None => open_another(app),
    };
    if let Err(error) = result {
        tracing::error!(%error, "no window can be brought to the front");
    }
}

/// Closes the window that has the keyboard.
#[cfg(not(target_os = "macos"))]
pub fn close_focused(app: &AppHandle) -> tauri::Result<()> {
    let windows = app.webview_windows();
    let focused = windows
        .values()
        .find(|window| window.is_focused().unwrap_or(false));
    focused.map_or(Ok(()), WebviewWindow::close)
}

/// Size and position across restarts. Not visibility: a window starts hidden.
pub fn state_plugin() -> TauriPlugin<Wry> {
    tauri_plugin_window_state::Builder::default()
        .with_state_flags(StateFlags::all() - StateFlags::VISIBLE)
        .with_filter(|label| label == MAIN)
        .build()
}
