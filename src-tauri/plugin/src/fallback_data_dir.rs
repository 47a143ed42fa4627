//! A temporary folder for the web engine's files while the app's own folder cannot be used or
//! belongs to another process. The folder is removed when the app ends. Without a folder the engine
//! opens no window, and the app could not show what is wrong.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fs, thread};

use tauri::{AppHandle, Manager as _};
use tempfile::TempDir;

/// How often the folder is removed, and how long after each time it is looked for again.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(25);

struct FallbackDataDir(Mutex<Option<TempDir>>);

/// Makes the temporary folder. Every window that this process opens from now on uses it.
pub fn create(app: &AppHandle) {
    match tempfile::Builder::new().prefix("vestibule-").tempdir() {
        Ok(folder) => {
            app.manage(FallbackDataDir(Mutex::new(Some(folder))));
        }
        Err(error) => {
            tracing::error!(%error, "no temporary folder can be made, so a window may not open")
        }
    }
}

/// The temporary folder; `None` where windows use the app's own folder.
pub fn folder(app: &AppHandle) -> Option<PathBuf> {
    let fallback_data_dir = app.try_state::<FallbackDataDir>()?;
    let folder = fallback_data_dir
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    folder.as_ref().map(|folder| folder.path().to_owned())
}

/// Removes the temporary folder when the app ends. The engine's processes end after this one and may
/// still be writing, so this tries again for a moment.
pub fn remove(app: &AppHandle) {
    let Some(fallback_data_dir) = app.try_state::<FallbackDataDir>() else {
        return;
    };
    let mut folder = fallback_data_dir
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let Some(folder) = folder.take() else { return };
    let path = folder.keep();
    for _ in 0..TRIES {
        let _ = fs::remove_dir_all(&path);
        thread::sleep(PAUSE);
        if !path.exists() {
            return;
        }
    }
    tracing::warn!(path = %path.display(), "a temporary folder of the web engine could not be removed");
}
