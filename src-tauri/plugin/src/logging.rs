//! Where the log is kept, how a person opens its folder, and when failures are reported.
//!
//! `vestibule-log` decides what gets into the log and what never does.

use std::io;
use std::path::Path;
use std::time::Duration;

use tauri::{AppHandle, Manager as _};
use vestibule_log::Log;

use crate::{StartError, error_reporting};

/// How long the app waits at its end for a report that is being sent.
const REPORT_FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Begins the log of a process that has windows, and keeps it in the system's folder for logs. Without
/// a file the app runs all the same.
pub fn begin(app: &AppHandle) {
    in_log_folder(
        app,
        Log::keep_in,
        "the log cannot be kept in a file now; it goes to standard error only",
    );
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
    in_log_folder(
        app,
        Log::append_to_owners_log,
        "the log could not be appended to that of the process that owns the windows",
    );
}

/// Runs `work` with the log and its folder. Does nothing if the app has no log. If `work` fails, logs
/// `failed`.
fn in_log_folder(app: &AppHandle, work: fn(&Log, &Path) -> io::Result<()>, failed: &str) {
    let Some(log) = app.try_state::<Log>() else {
        return;
    };
    let folder = app.path().app_log_dir().map_err(StartError::from);
    if let Err(error) = folder.and_then(|folder| Ok(work(&log, &folder)?)) {
        tracing::warn!(%error, "{failed}");
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
