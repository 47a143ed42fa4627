//! Opens, shows and closes windows. A window is hidden until its page is ready, and the main window
//! comes back at the same place at the next start. What pages cannot do is in `lockdown`.

use std::sync::mpsc;
use std::time::Duration;

#[cfg(target_os = "linux")]
use tauri::Webview;
use tauri::plugin::TauriPlugin;
use tauri::webview::{Color, PageLoadEvent};
use tauri::{
    AppHandle, Manager as _, Runtime, Theme, WebviewWindow, WebviewWindowBuilder, Window,
    WindowEvent, Wry, async_runtime,
};
use tauri_plugin_window_state::StateFlags;
use uuid::Uuid;
use vestibule_core::accounts::FIRST_WINDOW;
use vestibule_core::wire::Theme as Chosen;
use vestibule_core::{AuthError, BackendCalls};

use crate::account_list::ListChannels;
use crate::accounts::AppAccounts;
use crate::browser_sign_ins::BrowserSignIns;
use crate::commands::internal_error;
use crate::deep_links::DeepLinks;
use crate::lockdown::LockedWindows;
use crate::session_events::SessionChannels;
use crate::window_pages::WindowPages;
use crate::{command_limits, fallback_data_dir, lockdown, preferences};

/// The app's first window.
pub const MAIN: &str = FIRST_WINDOW;
/// The most characters of a page's title that are shown as the window's title.
const MAX_TITLE_CHARS: usize = 200;
/// A window is shown after this time even if its page never says that it is ready.
const SHOW_TIMEOUT: Duration = Duration::from_millis(1500);

/// How every window looks.
pub struct WindowStyle {
    /// What the app sets of each window.
    pub customize: for<'a> fn(
        WebviewWindowBuilder<'a, Wry, AppHandle>,
    ) -> WebviewWindowBuilder<'a, Wry, AppHandle>,
    /// The pages' own background, light and dark.
    pub background: Option<(Color, Color)>,
}

impl Default for WindowStyle {
    fn default() -> Self {
        Self {
            customize: |builder| builder,
            background: None,
        }
    }
}

/// A window whose page is locked in: only such a window may call the plugin's commands. See
/// `SECURITY.md` for what its page cannot do.
pub struct WindowBuilder<'a> {
    app: &'a AppHandle,
    label: &'a str,
}

/// A window with this label, which shows the app's first page.
pub fn window<'a>(app: &'a AppHandle, label: &'a str) -> WindowBuilder<'a> {
    WindowBuilder { app, label }
}

impl WindowBuilder<'_> {
    /// Builds the window, hidden until its page is ready.
    ///
    /// # Errors
    /// If the engine cannot open it, or the label is taken.
    pub fn build(self) -> tauri::Result<()> {
        open(self.app, self.label).inspect_err(|error| {
            let advice = match error {
                tauri::Error::WindowLabelAlreadyExists(_)
                | tauri::Error::WebviewLabelAlreadyExists(_) => {
                    "; remove it from `app.windows` of tauri.conf.json if it is there"
                }
                _ => "",
            };
            tracing::error!(%error, "a window cannot be opened{advice}");
        })
    }
}

/// Opens one more window, with the account of the window `like`. Returns its label.
///
/// # Errors
/// If there are [`command_limits::WINDOWS`] already, or the engine cannot open one.
pub fn open_another(app: &AppHandle, like: Option<&str>) -> Result<String, AuthError> {
    let _room = command_limits::reserve_window(app)?;
    let label = match app.get_webview_window(MAIN) {
        None => MAIN.to_owned(),
        Some(_) => format!("window-{}", Uuid::new_v4()),
    };
    if let Some(like) = like
        && let Some(accounts) = app.state::<AppAccounts>().opened()
    {
        accounts.open_like(&label, like);
    }
    open(app, &label).map_err(|error| {
        if let Some(accounts) = app.state::<AppAccounts>().opened() {
            accounts.window_closed(&label);
        }
        internal_error(error)
    })?;
    Ok(label)
}

/// Loads the app's first page in a window, in place of the page that is there and of all that the window
/// keeps of the pages before.
/// `requested` is called in the turn in which it is requested.
pub fn load_anew(app: &AppHandle, label: &str, requested: Box<dyn FnOnce() + Send>) {
    let Some(window) = app.get_webview_window(label) else {
        return;
    };
    let loaded = app.run_on_main_thread(move || {
        requested();
        if let Err(error) = lockdown::load_anew(&window) {
            let window = window.label();
            tracing::error!(%error, window, "a window could not load its first page anew");
        }
    });
    if let Err(error) = loaded {
        tracing::error!(%error, window = label, "a window could not load its first page anew");
    }
}

/// The window that has the keyboard focus.
pub fn focused(app: &AppHandle) -> Option<WebviewWindow> {
    let windows = app.webview_windows();
    let mut windows = windows.into_values();
    windows.find(|window| window.is_focused().unwrap_or(false))
}

/// Opens a window in one turn of the main thread, so that all restrictions of its page are in place
/// before the page is loaded.
fn open(app: &AppHandle, label: &str) -> tauri::Result<()> {
    let (tell, opened) = mpsc::channel();
    let (handle, label) = (app.clone(), label.to_owned());
    app.run_on_main_thread(move || {
        let _ = tell.send(open_on_main_thread(&handle, &label));
    })?;
    // An app that is ending drops the task, and then nothing is received.
    let opened = opened.recv();
    opened.unwrap_or(Err(tauri::Error::FailedToReceiveMessage))
}

fn open_on_main_thread(app: &AppHandle, label: &str) -> tauri::Result<()> {
    let title = app.config().product_name.clone().unwrap_or_default();
    let style = app.state::<WindowStyle>();
    let builder = lockdown::builder(app, label)
        .title(title)
        .inner_size(1120.0, 760.0)
        .min_inner_size(420.0, 480.0);
    let builder = (style.customize)(builder)
        .visible(false)
        .on_page_load(|window, load| {
            if load.event() == PageLoadEvent::Started {
                page_left(&window, window.label());
                if let Some(accounts) = window.state::<AppAccounts>().opened() {
                    accounts.page_began(window.label());
                }
            }
        })
        .on_document_title_changed(|window, title| {
            // A script can make a title of any length, and the system keeps all of it.
            let shown: String = title.chars().take(MAX_TITLE_CHARS).collect();
            // Between two pages the title is empty.
            if !shown.is_empty()
                && let Err(error) = window.set_title(&shown)
            {
                tracing::warn!(%error, "a window's title could not be set to its page's title");
            }
        });
    let builder = match fallback_data_dir::folder(app) {
        Some(folder) => builder.data_directory(folder),
        None => builder,
    };
    #[cfg(feature = "e2e")]
    let builder = match e2e_script() {
        Some(script) => builder.initialization_script(script),
        None => builder,
    };
    let window = lockdown::build(builder)?;
    let handle = window.as_ref().window();
    window.on_window_event(move |event| on_event(&handle, event));
    #[cfg(target_os = "linux")]
    close_with_webview(&window)?;
    set_background(&window)?;
    async_runtime::spawn(async move {
        tokio::time::sleep(SHOW_TIMEOUT).await;
        show(&window);
    });
    Ok(())
}

/// Closes a window whose webview is gone. WebKitGTK closes a webview when a script calls `close()`, or a
/// driver does, and wry then destroys the webview alone: an empty window would stay, and nothing would tell
/// that its page has gone.
#[cfg(target_os = "linux")]
fn close_with_webview(window: &WebviewWindow) -> tauri::Result<()> {
    use gtk::prelude::WidgetExt as _;

    let (app, label) = (window.app_handle().clone(), window.label().to_owned());
    window.with_webview(move |webview| {
        webview.inner().connect_destroy(move |_| {
            // A window that is closing takes its webview along, and is not found any more, or ignores it.
            if let Some(window) = app.get_webview_window(&label)
                && let Err(error) = window.destroy()
            {
                tracing::error!(%error, window = label, "a window without its webview cannot be closed");
            }
        });
    })
}

/// Sets the window's background to the page's colour, so that no white flash is seen before the
/// page is drawn.
fn set_background<R: Runtime>(window: &WebviewWindow<R>) -> tauri::Result<()> {
    let dark = match preferences::theme(window.app_handle()) {
        Chosen::Dark => true,
        Chosen::Light => false,
        Chosen::System => matches!(window.theme(), Ok(Theme::Dark)),
    };
    let style = window.state::<WindowStyle>();
    let Some((light, dark_background)) = style.background else {
        return Ok(());
    };
    let background = Some(if dark { dark_background } else { light });
    // On Linux the menu is drawn on the window itself, and the system chooses the menu's colour. So
    // only the webview gets the background colour there.
    #[cfg(target_os = "linux")]
    AsRef::<Webview<R>>::as_ref(window).set_background_color(background)?;
    #[cfg(not(target_os = "linux"))]
    window.set_background_color(background)?;
    Ok(())
}

/// Sets the background colour of every window again, after the theme has changed.
pub fn set_backgrounds<R: Runtime>(app: &AppHandle<R>) {
    for window in app.webview_windows().values() {
        if let Err(error) = set_background(window) {
            let window = window.label();
            tracing::warn!(%error, window, "the background colour of a window could not be set");
        }
    }
}

/// The script in the file that `VESTIBULE_E2E_SCRIPT` names. Tests run it in each page before the
/// page's own scripts.
#[cfg(feature = "e2e")]
fn e2e_script() -> Option<String> {
    std::fs::read_to_string(std::env::var_os("VESTIBULE_E2E_SCRIPT")?).ok()
}

/// Ends the calls of a window that is closed, and updates the background colours when the system's
/// theme changes.
fn on_event(window: &Window, event: &WindowEvent) {
    match event {
        WindowEvent::Destroyed => {
            page_left(window, window.label());
            if let Some(accounts) = window.state::<AppAccounts>().opened() {
                accounts.window_closed(window.label());
            }
            // After that: what a late command of its page begins finds that the window shows nothing.
            BrowserSignIns::give_up(window.app_handle(), window.label());
            window.state::<WindowPages>().window_closed(window.label());
            window.state::<DeepLinks>().window_closed(window.label());
            window.state::<LockedWindows>().remove(window.label());
        }
        WindowEvent::ThemeChanged(_) => set_backgrounds(window.app_handle()),
        _ => {}
    }
}

/// Ends what the page of a window was being told: the answers of its calls, and changes.
fn page_left(app: &impl tauri::Manager<Wry>, window: &str) {
    app.state::<BackendCalls>().page_left(window);
    app.state::<SessionChannels>().close(window);
    app.state::<ListChannels>().close(window);
    app.state::<DeepLinks>().page_left(window);
    app.state::<WindowPages>().page_left(window);
}

/// Shows a window that is still hidden. Later calls do nothing, because a page that reloads must
/// not take the focus.
pub fn show(window: &WebviewWindow) {
    let shown = window.clone();
    // In one turn of the main thread: from another thread each step would wait for one of its own.
    let asked = window.run_on_main_thread(move || {
        if shown.is_visible().unwrap_or(false) {
            return;
        }
        if let Err(error) = shown.show() {
            tracing::error!(%error, "a window cannot be shown");
            return;
        }
        // In a later turn: on Linux a window is shown after this one, and gets no focus before.
        async_runtime::spawn(async move {
            if let Err(error) = shown.set_focus() {
                tracing::error!(%error, "a window cannot get the focus");
            }
        });
    });
    if let Err(error) = asked {
        tracing::error!(%error, "a window cannot be shown, because the app ends");
    }
}

/// Brings a window to the front, or opens one, and returns its label. A second launch may ask for that
/// before the app has opened its first window. Then this does nothing, because the app is about to open and
/// show it.
pub fn focus_any(app: &AppHandle) -> String {
    if !app.state::<LockedWindows>().has_opened() {
        return MAIN.to_owned();
    }
    let windows = app.webview_windows();
    let window = windows
        .get_key_value(MAIN)
        .or_else(|| windows.iter().next());
    if let Some((label, _)) = window {
        focus(app, label);
        return label.clone();
    }
    let opened = open_another(app, None);
    opened.unwrap_or_else(|error| {
        tracing::error!(%error, "no window can be brought to the front");
        MAIN.to_owned()
    })
}

/// Brings this window to the front, if it is there.
pub fn focus(app: &AppHandle, label: &str) {
    let Some(window) = app.get_webview_window(label) else {
        return;
    };
    let shown = window.unminimize().and_then(|()| window.show());
    if let Err(error) = shown.and_then(|()| window.set_focus()) {
        tracing::error!(%error, window = label, "a window cannot be brought to the front");
    }
}

/// Closes the window that has the keyboard focus.
#[cfg(not(target_os = "macos"))]
pub fn close_focused(app: &AppHandle) -> tauri::Result<()> {
    focused(app).as_ref().map_or(Ok(()), WebviewWindow::close)
}

/// Keeps the main window's size and position across restarts. Visibility is not kept, because a
/// window starts hidden.
pub fn state_plugin() -> TauriPlugin<Wry> {
    tauri_plugin_window_state::Builder::default()
        .with_state_flags(StateFlags::all() - StateFlags::VISIBLE)
        .with_filter(|label| label == MAIN)
        .build()
}
