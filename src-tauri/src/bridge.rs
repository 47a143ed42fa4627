//! Session changes become the event `session-changed` in every window. Nothing else emits.

use tauri::{AppHandle, Emitter as _};
use vestibule_core::session::Session;

const EVENT: &str = "session-changed";

/// Forwards every change of `session` until the app ends.
pub fn start(app: AppHandle, session: &Session) {
    // Now, not when the task first runs: whoever reads the state after this call hears of
    // every change to it, however soon that comes.
    let mut changes = session.subscribe();
    tauri::async_runtime::spawn(async move {
        while changes.changed().await.is_ok() {
            let change = changes.borrow_and_update().clone();
            tracing::debug!(
                revision = change.revision,
                "a session change goes to the windows"
            );
            if let Err(error) = app.emit(EVENT, change) {
                tracing::error!(%error, "a session change was not sent");
            }
        }
    });
}
