//! Restricts what a page can do in its window. A window shows only the app's own pages. They reach
//! no network, open no window, save no file and get no permission of the web engine: what a page
//! needs comes through commands and the app's own scheme. A link that the adopter lists opens in
//! the system's browser.
//!
//! The content security policy forbids most of this as well, but it has holes. For example, the
//! engine looks up and connects to the host of a `<link rel="preconnect">` whatever the policy
//! says. So the webview is given a proxy at which nothing can listen. Features that bypass the
//! proxy too are switched off in the engine.

mod engine;
mod messages;
mod web_storage;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(any(debug_assertions, feature = "e2e"))]
use serde_json::json;
use tauri::webview::{NewWindowResponse, PermissionResponse};
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry};
use vestibule_core::profile::ProfileError;
#[cfg(any(debug_assertions, feature = "e2e"))]
use vestibule_core::profile::Section;
use vestibule_core::{AuthError, ErrorCode};

use crate::backend_profile;

pub use self::web_storage::{SeveralAccounts, forget_pages};

/// The proxy of every webview, at which nothing listens: no program can listen at port 0. The
/// engines of macOS and Windows may not accept port 0, so they get port 9, which is reserved for
/// discarding data.
const UNREACHABLE_PROXY: &str = if cfg!(target_os = "linux") {
    "http://127.0.0.1:0"
} else {
    "http://127.0.0.1:9"
};

/// Hides the engine's context menu except over text that can be cut, copied or pasted: the menu
/// offers to reload the page, to leave it and, where that is on, to inspect it. Debug builds keep
/// the whole menu.
const TEXT_MENU_ONLY: &str = "addEventListener('contextmenu', (event) => {
  const { target, clientX: x, clientY: y } = event;
  const selection = getSelection();
  const parts = selection.isCollapsed ? [] : [...selection.getRangeAt(0).getClientRects()];
  const isSelected = parts.some(({ left, top, right, bottom }) =>
    left <= x && x <= right && top <= y && y <= bottom);
  if (!isSelected && !target.matches?.(':read-write')) event.preventDefault();
}, true);";

/// The least time between two links that open in the browser, so that a page cannot fill the screen
/// with browser windows.
const LINK_INTERVAL: Duration = Duration::from_secs(1);

/// The builder of a window with these restrictions. [`build`] has to build it. The scripts that are
/// added to it run after the script that bounds the page's messages.
pub fn builder<'a>(app: &'a AppHandle, label: &str) -> WebviewWindowBuilder<'a, Wry, AppHandle> {
    let dev_url = app.config().build.dev_url.clone();
    let links = app.state::<Arc<Links>>().inner().clone();
    let clicked = links.clone();
    let builder = WebviewWindowBuilder::new(app, label, WebviewUrl::default());
    let builder = web_storage::bound(app, messages::bound(builder))
        .on_navigation(move |url| {
            let own = is_own_page(url, dev_url.as_ref());
            if !own {
                clicked.open_in_browser(url);
            }
            own
        })
        .on_new_window(move |url, _| {
            links.open_in_browser(&url);
            NewWindowResponse::Deny
        })
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny)
        // WebView2 would keep what is typed into forms and offer it to the next person who uses the
        // app.
        .general_autofill_enabled(false);
    let builder = match cfg!(debug_assertions) {
        true => builder,
        false => builder.initialization_script(TEXT_MENU_ONLY),
    };
    if tauri::is_dev() {
        // The pages come from the development server, which a proxy would cut off.
        return builder;
    }
    builder
        .proxy_url(Url::parse(UNREACHABLE_PROXY).expect("an address"))
        .additional_browser_args(engine::WEBVIEW2_ARGUMENTS)
}

/// Builds a window from a [`builder`]. It must be called on the main thread.
///
/// # Errors
/// If the window cannot be built.
pub fn build(builder: WebviewWindowBuilder<'_, Wry, AppHandle>) -> tauri::Result<WebviewWindow> {
    let window = builder.build()?;
    engine::disable_engine_features(&window)?;
    messages::finish(&window)?;
    web_storage::finish(&window)?;
    window.state::<LockedWindows>().add(window.label());
    Ok(window)
}

/// The labels of the windows that [`build`] has built. No other window may call a command.
#[derive(Default)]
pub struct LockedWindows {
    labels: Mutex<HashSet<String>>,
    has_opened: AtomicBool,
}

impl LockedWindows {
    /// Whether there has been a window.
    pub fn has_opened(&self) -> bool {
        self.has_opened.load(Ordering::Relaxed)
    }

    fn add(&self, label: &str) {
        self.labels().insert(label.to_owned());
        self.has_opened.store(true, Ordering::Relaxed);
    }

    /// Refuses a window that is not locked.
    ///
    /// # Errors
    /// For the author of the app, with the name of the function that builds a locked window.
    pub fn require(&self, label: &str) -> Result<(), AuthError> {
        if self.labels().contains(label) {
            return Ok(());
        }
        let words = format!(
            "The window `{label}` may call no command of Vestibule, because its page can reach the \
             network. Build it with `tauri_plugin_vestibule::window(app, {label:?})`, and remove it \
             from `app.windows` of tauri.conf.json if it is there."
        );
        Err(AuthError::with_message(ErrorCode::Misconfigured, words))
    }

    /// The window is gone.
    pub fn remove(&self, label: &str) {
        self.labels().remove(label);
    }

    fn labels(&self) -> MutexGuard<'_, HashSet<String>> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const SERVES_BY_HTTP: bool = cfg!(any(windows, target_os = "android"));

fn is_own_page(url: &Url, dev_url: Option<&Url>) -> bool {
    // On Windows and Android Tauri serves the pages at an address of http, since their web engines
    // know no scheme of an app's own. On other systems that address is one of the network.
    let bundled = match url.scheme() {
        "tauri" => !SERVES_BY_HTTP && url.host_str() == Some("localhost"),
        "http" | "https" => {
            SERVES_BY_HTTP && url.host_str() == Some("tauri.localhost") && url.port().is_none()
        }
        _ => false,
    };
    let served = tauri::is_dev() && dev_url.is_some_and(|dev| dev.origin() == url.origin());
    bundled || served
}

/// The links that may open in the system's browser. They are whole addresses, so that a page cannot
/// add data to one of them.
#[derive(Default)]
pub struct Links {
    known: Vec<Url>,
    last_opened: Mutex<Option<Instant>>,
}

impl Links {
    /// The links in `plugins.vestibule.links` of `tauri.conf.json`.
    ///
    /// # Errors
    /// If an entry is not an https address, or names a user.
    pub fn configured(app: &AppHandle) -> Result<Self, ProfileError> {
        #[cfg(any(debug_assertions, feature = "e2e"))]
        if let Ok(link) = std::env::var("VESTIBULE_LINK") {
            let section = Section::new("VESTIBULE_LINK", json!({ "links": [link] }));
            return Ok(Self::of(section.links()?));
        }
        let section = backend_profile::section(app.config())?.unwrap_or_default();
        Ok(Self::of(section.links()?))
    }

    fn of(known: Vec<Url>) -> Self {
        Self {
            known,
            last_opened: Mutex::new(None),
        }
    }

    fn open_in_browser(&self, url: &Url) {
        if !self.known.contains(url) || !self.may_open_now() {
            tracing::warn!(
                "a page tried to open an address that is not in `links`, or opened one a moment \
                 ago; it was refused"
            );
            return;
        }
        if let Err(error) = tauri_plugin_opener::open_url(url, None::<&str>) {
            tracing::error!(%error, "a link could not be opened in the system's browser");
        }
    }

    fn may_open_now(&self) -> bool {
        let mut last_opened = self
            .last_opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let may_open = last_opened.is_none_or(|last| now.duration_since(last) >= LINK_INTERVAL);
        if may_open {
            *last_opened = Some(now);
        }
        may_open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_window_is_refused_by_the_name_of_the_function_that_builds_one() {
        let locked = LockedWindows::default();
        let refused = locked.require("main").expect_err("it was not built here");
        assert_eq!(refused.code, ErrorCode::Misconfigured);
        let named = "tauri_plugin_vestibule::window(app, \"main\")";
        assert!(refused.message.contains(named), "{refused}");
        locked.add("main");
        locked.require("main").expect("it was built here");
        locked.remove("main");
        locked.require("main").expect_err("it is gone");
    }

    #[test]
    fn a_window_stays_on_its_own_pages() {
        let own = |text: &str| is_own_page(&Url::parse(text).unwrap(), None);
        let (own_address, foreign_address) = match SERVES_BY_HTTP {
            true => ("http://tauri.localhost/", "tauri://localhost/"),
            false => ("tauri://localhost/", "http://tauri.localhost/"),
        };
        assert!(own(own_address));
        assert!(own(&format!("{own_address}auth/login/")));
        for url in [
            foreign_address,
            "https://tauri.localhost:7781/x",
            "http://tauri.localhost:7781/x",
            "https://evil.example/",
            "http://localhost/",
            "tauri://evil.example/",
            "data:text/html,x",
            "blob:tauri://localhost/0",
            "file:///etc/passwd",
            "about:blank",
        ] {
            assert!(!own(url), "{url}");
        }
    }

    #[test]
    fn the_way_to_the_network_is_an_address_with_a_port() {
        assert!(Url::parse(UNREACHABLE_PROXY).unwrap().port().is_some());
    }

    #[test]
    fn a_link_is_known_as_a_whole() {
        let links = Links::of(vec![Url::parse("https://example.com/help").unwrap()]);
        let known = |text: &str| links.known.contains(&Url::parse(text).unwrap());
        assert!(known("https://example.com/help"));
        for other in [
            "https://example.com/help?of=me",
            "https://example.com/help#of-me",
            "https://example.com/help/me",
            "https://example.com/",
            "http://example.com/help",
            "https://example.com:444/help",
            "https://a:b@example.com/help",
        ] {
            assert!(!known(other), "{other}");
        }
    }

    #[test]
    fn links_open_one_at_a_time() {
        let links = Links::default();
        assert!(links.may_open_now());
        assert!(!links.may_open_now());
    }
}
