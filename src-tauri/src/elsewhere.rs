//! Where a window's engine keeps its files while the app's own folder is not to be had, because
//! it cannot be used or belongs to another process: a folder for this run, gone at its end. An
//! engine without a folder opens no window, and then nobody could be told what is wrong.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tauri::{AppHandle, Manager as _};
use tempfile::TempDir;

struct Elsewhere(Mutex<Option<TempDir>>);

/// From now on, for every window of this process.
pub fn go(app: &AppHandle) {
    match tempfile::Builder::new().prefix("vestibule-").tempdir() {
        Ok(folder) => {
            app.manage(Elsewhere(Mutex::new(Some(folder))));
        }
        Err(error) => tracing::error!(%error, "there is no folder for a window to be in"),
    }
}

/// The folder; `None` where the app's own one is in use.
pub fn folder(app: &AppHandle) -> Option<PathBuf> {
    let elsewhere = app.try_state::<Elsewhere>()?;
    let folder = elsewhere.0.lock().unwrap_or_else(PoisonError::into_inner);
    folder.as_ref().map(|folder| folder.path().to_owned())
}

/// Removes it, at the end.
pub fn remove(app: &AppHandle) {
    if let Some(elsewhere) = app.try_state::<Elsewhere>() {
        let mut folder = elsewhere.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(folder.take());
    }
}
