//! What the desktop does for a sign-in by the browser: opens an address, holds the clipboard, and shows
//! the app's window again.

use tauri::{AppHandle, Manager as _, Url};
use vestibule_core::browser::{Desktop, DonePage};
use vestibule_core::{AccountId, AuthError, ErrorCode};

use crate::browser_sign_ins::BrowserSignIns;
use crate::deep_links::DeepLinks;
use crate::{accounts, windows};

/// The desktop of a running app, for the sign-ins of one account.
pub struct AppDesktop {
    app: AppHandle,
    account: AccountId,
}

/// The words that the app has for the page at which the browser ends, if it has any.
#[derive(Default)]
pub struct DonePageWords(pub Option<DonePage>);

impl AppDesktop {
    pub fn new(app: &AppHandle, account: AccountId) -> Self {
        Self {
            app: app.clone(),
            account,
        }
    }
}

impl Desktop for AppDesktop {
    fn open(&self, address: &Url) -> Result<(), AuthError> {
        tauri_plugin_opener::open_url(address, None::<&str>).map_err(|error| {
            // What the error quotes may be the address, which holds the sign-in's `state`.
            let kind = match error {
                tauri_plugin_opener::Error::Io(error) => error.kind().to_string(),
                _ => "no program".into(),
            };
            tracing::warn!(kind, "the system's browser could not be opened");
            let words = "This computer did not open a browser. Copy the address into one.";
            AuthError::with_message(ErrorCode::CannotStart, words)
        })
    }

    fn copy(&self, text: &str) -> Result<(), AuthError> {
        set_clipboard(&self.app, text).map_err(|()| {
            tracing::warn!("the clipboard cannot be written");
            let words = "The clipboard of this computer cannot be used.";
            AuthError::with_message(ErrorCode::CannotStart, words)
        })
    }

    fn come_to_front(&self) {
        let app = self.app.clone();
        let begun_in = app.state::<BrowserSignIns>().window_of(self.account);
        // Only the main thread may touch windows.
        let _ = self.app.run_on_main_thread(move || match begun_in {
            Some(window) => windows::focus(&app, &window),
            // The app's own code has begun it.
            None => drop(windows::focus_any(&app)),
        });
    }

    fn scheme(&self) -> Option<String> {
        self.app.state::<DeepLinks>().scheme().map(str::to_owned)
    }

    fn done_page(&self) -> DonePage {
        if let Some(page) = &self.app.state::<DonePageWords>().0 {
            return page.clone();
        }
        let name = accounts::product_name(&self.app);
        DonePage {
            title: format!("Back to {name}"),
            text: format!("You can close this page and go back to {name}."),
            ..DonePage::default()
        }
    }
}

/// GTK's clipboard belongs to its own thread, and the window's program owns the text.
#[cfg(target_os = "linux")]
fn set_clipboard(app: &AppHandle, text: &str) -> Result<(), ()> {
    let (done, copied) = std::sync::mpsc::channel();
    let text = text.to_owned();
    let asked = app.run_on_main_thread(move || {
        let display = gtk::gdk::Display::default();
        let clipboard = display.and_then(|display| gtk::Clipboard::default(&display));
        if let Some(clipboard) = &clipboard {
            clipboard.set_text(&text);
        }
        let _ = done.send(clipboard.is_some());
    });
    asked.map_err(|_| ())?;
    match copied.recv() {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn set_clipboard(_: &AppHandle, text: &str) -> Result<(), ()> {
    let clipboard = arboard::Clipboard::new();
    let copied = clipboard.and_then(|mut clipboard| clipboard.set_text(text));
    copied.map_err(|_| ())
}
