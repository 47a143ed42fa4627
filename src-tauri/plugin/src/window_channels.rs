//! Channels by which a window's page is told of changes. Each was opened by the page that it belongs to;
//! nothing is told to all windows. Tauri's events are not used, because they reach every window.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tauri::ipc::{Channel, IpcResponse};

/// How many channels of one window are kept, the newest. A page opens one; a command of the page
/// before it may come late and open another.
const CHANNELS: usize = 4;

/// The channels of one window, each with what it is about.
type Channels<K, T> = VecDeque<(K, Channel<T>)>;

/// The channels of each window, by the window's label.
pub struct WindowChannels<K, T>(Mutex<HashMap<String, Channels<K, T>>>);

impl<K, T> Default for WindowChannels<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: PartialEq, T: IpcResponse + Clone> WindowChannels<K, T> {
    /// Tells this window by `channel` too from now on, of what is about `key`.
    pub fn open(&self, window: &str, key: K, channel: Channel<T>) {
        let mut all = self.channels();
        let channels = all.entry(window.to_owned()).or_default();
        if channels.len() == CHANNELS {
            channels.pop_front();
        }
        channels.push_back((key, channel));
    }

    /// The window's page has gone.
    pub fn close(&self, window: &str) {
        self.channels().remove(window);
    }

    /// The windows that have a channel.
    pub fn windows(&self) -> Vec<String> {
        self.channels().keys().cloned().collect()
    }

    /// Sends `message` by each channel that is about `key`; with a `window` only to that one.
    pub fn send(&self, window: Option<&str>, key: &K, message: &T) {
        let all = self.channels();
        let chosen = all
            .iter()
            .filter(|(label, _)| window.is_none_or(|window| window == *label));
        for (label, channels) in chosen {
            for (_, channel) in channels.iter().filter(|(about, _)| about == key) {
                if let Err(error) = channel.send(message.clone()) {
                    tracing::error!(%error, window = label, "a change could not be sent to a window; it shows the state before it");
                }
            }
        }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, Channels<K, T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
