//! Where the log is kept, how a person opens its folder, and when failures are reported.
//!
//! `vestibule-log` decides what gets into the log and what never does.

use std::time::Duration;

use tauri::{AppHandle, Manager as _};
use vestibule_log::Log;

use crate::{StartError, error_reporting};

/// How long the app waits at its end for a report that is being sent.
const REPORT_FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Keeps the log in the system's folder for logs. Only the process that owns the windows may call
/// this, because two processes must not write one file. Without a file the app runs all the same.
pub fn keep_in_file(app: &AppHandle) {
    let Some(log) = app.try_state::<Log>() else {
        return;
    };
    let kept = app.path().app_log_dir().map_err(StartError::from);
    let kept = kept.and_then(|folder| Ok(log.keep_in(&folder)?));
    if let Err(error) = kept {
        tracing::warn!(%error, "the log cannot be kept in a file; it goes to standard error only");
    }
    let package = app.package_info();
    tracing::info!(
        version = %package.version,
        os = std::env::consts::OS,
        arch = std::env::consts::ARCH,
        development = cfg!(debug_assertions),
        "the app has started"
    );
    error_reporting::apply(app);
}

/// Appends the log so far to the log of the process that owns the windows.
pub fn append_to_owners_log(app: &AppHandle) {
    let Some(log) = app.try_state::<Log>() else {
        return;
    };
    let left = app.path().app_log_dir().map_err(StartError::from);
    let left = left.and_then(|folder| Ok(log.append_to_owners_log(&folder)?));
    if let Err(error) = left {
        tracing::warn!(%error, "the log could not be appended to that of the process that owns the windows");
    }
}

/// Shows the log's folder in the system's file manager.
pub fn open_folder(app: &AppHandle) -> Result<(), StartError> {
    let folder = app.path().app_log_dir()?;
    tauri_plugin_opener::open_path(folder, None::<&str>)?;
    Ok(())
}

/// Waits for reports that are being sent, when the app ends.
pub fn end(app: &AppHandle) {
    if let Some(log) = app.try_state::<Log>() {
        log.flush(REPORT_FLUSH_TIMEOUT);
    }
}
