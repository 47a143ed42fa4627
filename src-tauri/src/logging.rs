//! Where the log is kept, how a person gets at it, and who is told of failures.
//!
//! What is heard and what is never said is decided in `vestibule-log`.

use std::time::Duration;

use tauri::{AppHandle, Manager as _};
use vestibule_log::Log;

use crate::{StartError, reports};

/// How long the end of the app waits for a report that is on its way.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keeps the log in the system's folder for logs. Only for the process that owns the
/// windows: two must not write one file. Without a file the app runs all the same.
pub fn keep(app: &AppHandle) {
    let log = app.state::<Log>();
    let kept = app.path().app_log_dir().map_err(StartError::from);
    let kept = kept.and_then(|folder| Ok(log.keep_in(&folder)?));
    if let Err(error) = kept {
        tracing::warn!(%error, "the log is not kept in a file");
    }
    let package = app.package_info();
    tracing::info!(
        version = %package.version,
        os = std::env::consts::OS,
        arch = std::env::consts::ARCH,
        development = cfg!(debug_assertions),
        "started"
    );
    reports::apply(app);
}

/// Leaves what was said so far in the log of the process that owns the windows.
pub fn leave_word(app: &AppHandle) {
    let left = app.path().app_log_dir().map_err(StartError::from);
    let left = left.and_then(|folder| Ok(app.state::<Log>().leave_word_in(&folder)?));
    if let Err(error) = left {
        tracing::warn!(%error, "there is no log to leave a word in");
    }
}

/// Shows the folder in the system's file manager.
pub fn open_folder(app: &AppHandle) -> Result<(), StartError> {
    let folder = app.path().app_log_dir()?;
    tauri_plugin_opener::open_path(folder, None::<&str>)?;
    Ok(())
}

/// The app ends: nothing more is said.
pub fn end(app: &AppHandle) {
    if let Some(log) = app.try_state::<Log>() {
        log.flush(PATIENCE);
    }
}
