//! What the desktop does for a sign-in by the browser: opens an address, holds the clipboard, and shows
//! the app's window again.

use tauri::{AppHandle, Manager as _, Url};
use vestibule_core::browser::{Desktop, DonePage};
use vestibule_core::{AuthError, ErrorCode};

use crate::deep_links::DeepLinks;
use crate::{accounts, windows};

/// The desktop of a running app.
pub struct AppDesktop(AppHandle);

impl AppDesktop {
    pub fn new(app: &AppHandle) -> Self {
        Self(app.clone())
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
        set_clipboard(&self.0, text).map_err(|()| {
            tracing::warn!("the clipboard cannot be written");
            let words = "The clipboard of this computer cannot be used.";
            AuthError::with_message(ErrorCode::CannotStart, words)
        })
    }

    fn come_to_front(&self) {
        let app = self.0.clone();
        // Only the main thread may touch windows.
        let _ = self
            .0
            .run_on_main_thread(move || drop(windows::focus_any(&app)));
    }

    fn scheme(&self) -> Option<String> {
        self.0.state::<DeepLinks>().scheme().map(str::to_owned)
    }

    fn done_page(&self) -> DonePage {
        let name = accounts::product_name(&self.0);
        DonePage {
            title: format!("Back to {name}"),
            text: format!("{name} goes on from here. You can close this page."),
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
