//! Makes sure that one process owns the windows; see [`vestibule_core::single_instance`]. A later
//! launch asks the owner to show its window, hands over the links that it was started with, and ends. Where neither is possible the launch opens a
//! window that says why, and tries again whenever that window asks for the session again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tauri::{AppHandle, Manager as _};
use vestibule_core::single_instance::{Claim, InstanceOwner, OnLaunch, claim};
use vestibule_core::{AuthError, ErrorCode, unusable_folder};

use crate::deep_links::{self, DeepLinks};
use crate::{fallback_data_dir, logging};

/// How long a launch tries to reach the process that holds the lock, or waits for the lock of one
/// that is just ending.
pub const HANDOVER_TIMEOUT: Duration = Duration::from_secs(5);

/// This process's claim on the windows. Once it owns them it owns them until it ends.
pub struct SingleInstance {
    /// Off where several processes may have windows.
    is_on: bool,
    claim: Mutex<Claimed>,
}

enum Claimed {
    Not,
    Owned(#[expect(dead_code, reason = "is held")] Option<InstanceOwner>),
}

impl SingleInstance {
    /// No claim yet. With `is_on` false every process owns its windows.
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            claim: Mutex::new(Claimed::Not),
        }
    }

    /// Whether there is one process at most.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Makes this process the owner of the windows, unless it is already. If another process is,
    /// this asks it to show its window and ends this process.
    ///
    /// # Errors
    /// If the app's folder cannot be used, or the owner has not answered within `timeout`.
    pub fn claim(&self, app: &AppHandle, timeout: Duration) -> Result<(), AuthError> {
        let mut held = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*held, Claimed::Owned(_)) {
            return Ok(());
        }
        let claimed = match self.is_on {
            true => claim_folder(app, timeout).map(Some),
            false => Ok(None),
        };
        match claimed {
            Ok(owner) => {
                *held = Claimed::Owned(owner);
                logging::begin(app);
                deep_links::start(app);
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "the app cannot start");
                logging::append_to_owners_log(app);
                Err(error)
            }
        }
    }
}

fn claim_folder(app: &AppHandle, timeout: Duration) -> Result<InstanceOwner, AuthError> {
    let folder = app.path().app_local_data_dir().map_err(|error| {
        tracing::error!(%error, "the system names no folder for the app's data");
        let words = "This computer names no folder for your data. Give your user a home folder.";
        AuthError::with_message(ErrorCode::CannotStart, words)
    })?;
    let handle = app.clone();
    let launched: OnLaunch = Arc::new(move |links| deep_links::arrived(&handle, links));
    let links = app.state::<DeepLinks>().of_this_process();
    match claim(&folder, timeout, &links, &launched)
        .map_err(|error| unusable_folder(&folder, &error))?
    {
        Claim::Owned(owner) => Ok(owner),
        Claim::HandedOver => {
            fallback_data_dir::remove(app);
            exit_now()
        }
        Claim::Unresponsive(why) => {
            let name = app.config().product_name.as_deref().unwrap_or("The app");
            Err(AuthError::with_message(
                ErrorCode::CannotStart,
                why.words(name),
            ))
        }
    }
}

/// Ends this process, which holds nothing. It does not call `exit`, whose handlers free things that
/// the threads of GTK and of the runtime still use: the process sometimes crashed.
#[cfg(unix)]
#[allow(unsafe_code)]
fn exit_now() -> ! {
    // SAFETY: `_exit` accepts any status and does not return.
    unsafe { libc::_exit(0) }
}

#[cfg(not(unix))]
fn exit_now() -> ! {
    std::process::exit(0)
}
