//! Sends each change of a session to the windows, over the channel that each window's page has opened
//! with the command `session`. Tauri's events are not used for it: they reach every window.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tauri::ipc::Channel;
use tauri::{AppHandle, Manager as _};
use vestibule_core::session::Session;
use vestibule_core::wire::SessionChanged;

/// How many channels of one window are kept, the newest. A page opens one; a command of the page
/// before it may come late and open another.
const CHANNELS: usize = 4;

/// The channels of each window, by the window's label.
#[derive(Default)]
pub struct SessionChannels(Mutex<HashMap<String, VecDeque<Channel<SessionChanged>>>>);

impl SessionChannels {
    /// Sends changes to this window by `channel` too from now on.
    pub fn open(&self, window: &str, channel: Channel<SessionChanged>) {
        let mut all = self.channels();
        let channels = all.entry(window.to_owned()).or_default();
        if channels.len() == CHANNELS {
            channels.pop_front();
        }
        channels.push_back(channel);
    }

    /// The window's page has gone.
    pub fn close(&self, window: &str) {
        self.channels().remove(window);
    }

    fn send(&self, change: &SessionChanged) {
        for (window, channels) in &*self.channels() {
            for channel in channels {
                if let Err(error) = channel.send(change.clone()) {
                    tracing::error!(%error, window, "a session change could not be sent to a window; it shows the state before it");
                }
            }
        }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Channel<SessionChanged>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
            app.state::<SessionChannels>().send(&change);
        }
    });
}
