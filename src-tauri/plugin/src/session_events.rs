//! Sends each change of a session to the windows of its account, over the channel that each window's page
//! has opened with the command `session`.

use tauri::{AppHandle, Manager as _};
use vestibule_core::AccountId;
use vestibule_core::session::Session;
use vestibule_core::wire::SessionChanged;

use crate::window_channels::{self, WindowChannels};

/// The channels of each window's page, with the account of that page.
pub type SessionChannels = WindowChannels<AccountId, SessionChanged>;

/// Forwards every change of the session of `account` until it is closed.
pub fn forward(app: AppHandle, account: AccountId, session: &Session) {
    // Subscribed now and not when the task first runs, so that no change after this call is missed
    // by a window that reads the state right after it.
    let mut changes = session.subscribe();
    tauri::async_runtime::spawn(async move {
        while changes.changed().await.is_ok() {
            let change = changes.borrow_and_update().clone();
            tracing::debug!(
                revision = change.revision,
                "a session change goes to the windows of its account"
            );
            let channels = app.state::<SessionChannels>();
            window_channels::send(&app, channels.due(None, &account, &change));
        }
    });
}
