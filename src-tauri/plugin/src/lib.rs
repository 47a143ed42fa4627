//! Native sign-in for Tauri apps with a backend that exists already. The window never holds a token,
//! the refresh token rests in the keyring of the operating system, and no bad network, crash or
//! restart signs anyone out. What a session may do is decided in [`vestibule_core`].
//!
//! ```no_run
//! # fn start(context: tauri::Context) {
//! tauri_plugin_vestibule::harden(); // the first line of `main`
//! tauri::Builder::default()
//!     .plugin(tauri_plugin_vestibule::init())
//!     .setup(|app| Ok(tauri_plugin_vestibule::window(app.handle(), "main").build()?))
//!     .run(context) // tauri::generate_context!()
//!     .expect("the app runs");
//! # }
//! ```
//!
//! The backend is described in `plugins.vestibule` of `tauri.conf.json`. A capability gives the
//! window `vestibule:default`. The page signs in with the npm package `vestibule`.

mod account_list;
mod account_menu;
mod accounts;
mod app_desktop;
mod backend_profile;
mod browser_sign_ins;
mod builder;
#[cfg(feature = "doctor")]
mod cli;
mod command_limits;
mod command_list;
mod commands;
mod deep_links;
mod desktop_proxy;
mod error_reporting;
mod fallback_data_dir;
#[cfg(target_os = "linux")]
mod graphics;
mod hardening;
mod lockdown;
mod logging;
mod menu;
mod preferences;
mod public_fetch;
mod question;
mod session_events;
mod single_instance;
mod window_channels;
mod window_pages;
mod windows;
mod zeroing_allocator;

use tauri::{AppHandle, Manager, WebviewWindow, Wry};
use vestibule_core::AuthError;
use vestibule_core::session::Session;

use accounts::AppAccounts;

pub use accounts::WindowSession;
pub use backend_profile::BuiltProfile;
pub use builder::{Builder, Vestibule};
#[cfg(feature = "doctor")]
pub use cli::run_in_terminal;
pub use command_limits::{CommandSlot, OneAtATime};
pub use commands::{CommandResult, internal_error};
pub use hardening::harden;
pub use public_fetch::public_fetch;
pub use vestibule_core;
pub use windows::{WindowBuilder, window};
pub use zeroing_allocator::ZeroingAllocator;

#[cfg(feature = "doctor")]
use cli::is_for_terminal;

#[cfg(not(feature = "doctor"))]
fn is_for_terminal() -> bool {
    false
}

/// Why the app cannot start.
type StartError = Box<dyn std::error::Error>;

/// The plugin with everything on; [`Builder`] switches parts of it off.
#[must_use]
pub fn init() -> Vestibule {
    Builder::new().build()
}

/// What the plugin offers to the app's own code.
pub trait VestibuleExt {
    /// The plugin's part of this app.
    fn vestibule(&self) -> Sessions<'_>;
}

impl<T: Manager<Wry>> VestibuleExt for T {
    fn vestibule(&self) -> Sessions<'_> {
        Sessions(self.app_handle())
    }
}

/// The sessions of an app's windows.
pub struct Sessions<'a>(&'a AppHandle);

impl Sessions<'_> {
    /// The session that this window shows.
    ///
    /// # Errors
    /// If the app cannot start, its settings are not valid or the window shows no account: the error
    /// says which.
    pub fn session(&self, window: &WebviewWindow) -> Result<Session, AuthError> {
        let session = self.0.state::<AppAccounts>().session(window.label())?;
        Ok(session.clone())
    }
}
