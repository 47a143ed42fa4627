//! Channels by which a window's page is told of changes. Each was opened by the page that it belongs to;
//! nothing is told to all windows. Tauri's events are not used, because they reach every window.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tauri::AppHandle;
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

/// A message on its way to the page of a window.
pub struct Due<T> {
    window: String,
    channel: Channel<T>,
    message: T,
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

    /// `message`, for each channel that is about `key`; with a `window` only of that one. A channel that
    /// is opened after this belongs to a page that reads what is true now.
    pub fn due(&self, window: Option<&str>, key: &K, message: &T) -> Vec<Due<T>> {
        let all = self.channels();
        let chosen = all
            .iter()
            .filter(|(label, _)| window.is_none_or(|window| window == *label));
        let due = chosen.flat_map(|(label, channels)| {
            let channels = channels.iter().filter(|(about, _)| about == key);
            channels.map(|(_, channel)| Due {
                window: label.clone(),
                channel: channel.clone(),
                message: message.clone(),
            })
        });
        due.collect()
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, Channels<K, T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends messages in one turn of the main thread, in the order of the calls. Sent from another thread,
/// each would wait for a turn of its own, and the engine works for all pages between two turns.
pub fn send<T: IpcResponse + Send + 'static>(app: &AppHandle, due: Vec<Due<T>>) {
    if due.is_empty() {
        return;
    }
    // No lock is held in that turn, which others of the main thread may wait for.
    if let Err(error) = app.run_on_main_thread(move || send_now(due)) {
        tracing::error!(%error, "a change cannot be sent to the windows, because the app ends");
    }
}

/// Sends messages from this thread, in their order.
pub fn send_now<T: IpcResponse>(due: Vec<Due<T>>) {
    for Due {
        window,
        channel,
        message,
    } in due
    {
        if let Err(error) = channel.send(message) {
            tracing::error!(%error, window, "a change could not be sent to a window; it shows the state before it");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{self, Sender};

    use tauri::ipc::InvokeResponseBody;

    use super::*;

    /// The channel of a page that passes each message on to the test, with the page's name.
    fn page(name: &'static str, told: &Sender<String>) -> Channel<u32> {
        let told = told.clone();
        Channel::new(move |body| {
            let InvokeResponseBody::Json(json) = body else {
                panic!("a message is JSON");
            };
            told.send(format!("{name} {json}"))
                .expect("the test listens");
            Ok(())
        })
    }

    #[test]
    fn a_change_goes_to_the_pages_that_it_is_about_and_later_ones_read_it_themselves() {
        let (told, heard) = mpsc::channel();
        let channels = WindowChannels::default();
        channels.open("main", 'a', page("main", &told));
        channels.open("second", 'a', page("second", &told));
        channels.open("other", 'b', page("other", &told));
        let first = channels.due(None, &'a', &1);
        let only = channels.due(Some("second"), &'a', &2);
        channels.open("late", 'a', page("late", &told));
        send_now(first);
        send_now(only);
        let mut heard: Vec<_> = heard.try_iter().collect();
        heard[..2].sort();
        assert_eq!(heard, ["main 1", "second 1", "second 2"]);
    }

    #[test]
    fn no_lock_is_held_while_a_page_is_told() {
        let channels = Arc::new(WindowChannels::default());
        let again = channels.clone();
        let closing: Channel<u32> = Channel::new(move |_| {
            // A page may leave, and so close its channels, while a message is sent to it.
            again.close("main");
            Ok(())
        });
        channels.open("main", (), closing);
        send_now(channels.due(None, &(), &1));
        assert_eq!(channels.windows(), [""; 0]);
    }
}
