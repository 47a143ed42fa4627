//! One process owns the windows; see [`vestibule_core::instance`]. A later launch asks the owner
//! to show itself, and leaves. One that can do neither keeps a window, which says why; each time
//! that is asked again, so is this.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tauri::{AppHandle, Manager as _};
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_core::instance::{Claim, Owner, Shown, claim};
use vestibule_core::unusable;

use crate::{elsewhere, logging, window};

/// How long a launch tries to reach the process that holds the lock, or to take over from
/// one that is just ending.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Whether this process owns the windows; it then does until it ends.
#[derive(Default)]
pub struct Instance(Mutex<Option<Owner>>);

impl Instance {
    /// Makes this process the owner of the windows, unless it is already. If another one is,
    /// that one is asked to show itself and this one ends here.
    ///
    /// # Errors
    /// If the app's folder cannot be used, or the owner has not answered for so long.
    pub fn claim(&self, app: &AppHandle, patience: Duration) -> Result<(), AuthError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return Ok(());
        }
        match take(app, patience) {
            Ok(owner) => {
                *held = Some(owner);
                logging::keep(app);
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "the app cannot start");
                logging::leave_word(app);
                Err(error)
            }
        }
    }
}

fn take(app: &AppHandle, patience: Duration) -> Result<Owner, AuthError> {
    let folder = app.path().app_local_data_dir().map_err(|error| {
        tracing::error!(%error, "there is no folder for data");
        let words = "This computer names no folder for your data. Give your user a home folder.";
        AuthError::with_message(ErrorCode::CannotStart, words)
    })?;
    let handle = app.clone();
    let shown: Shown = Arc::new(move || {
        let shown = handle.clone();
        // Windows belong to the main thread.
        let _ = handle.run_on_main_thread(move || window::focus_any(&shown));
    });
    match claim(&folder, patience, &shown).map_err(|error| unusable::folder(&folder, &error))? {
        Claim::Owned(owner) => Ok(owner),
        Claim::HandedOver => {
            elsewhere::remove(app);
            leave()
        }
        Claim::Unanswered(why) => {
            let name = app.config().product_name.as_deref().unwrap_or("The app");
            Err(AuthError::with_message(
                ErrorCode::CannotStart,
                why.words(name),
            ))
        }
    }
}

/// Ends this process, which holds nothing. Not by `exit`: its handlers take things down under
/// the threads of GTK and of the runtime, which crashed now and then.
#[cfg(unix)]
#[allow(unsafe_code)]
fn leave() -> ! {
    // SAFETY: `_exit` takes any status and does not return; nothing runs after it.
    unsafe { libc::_exit(0) }
}

#[cfg(not(unix))]
fn leave() -> ! {
    std::process::exit(0)
}
