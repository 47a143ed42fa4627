//! Sends every change of a session to all windows as the event `session-changed`. The app emits no
//! other event.

use tauri::{AppHandle, Emitter as _};
use vestibule_core::session::Session;

const EVENT: &str = "session-changed";

/// Forwards every change of `session` until the app ends.
pub fn forward(app: AppHandle, session: &Session) {
    // Subscribed now and not when the task first runs, so that no change after this call is missed
    // by a window that reads the state right after it.
    let mut changes = session.subscribe();
    tauri::async_runtime::spawn(async move {
        while changes.changed().await.is_ok() {
            let change = changes.borrow_and_update().clone();
            tracing::debug!(
                revision = change.revision,
                "a session change goes to the windows"
            );
            if let Err(error) = app.emit(EVENT, change) {
                tracing::error!(%error, "a session change could not be sent to the windows; they show the state before it");
            }
        }
    });
}
