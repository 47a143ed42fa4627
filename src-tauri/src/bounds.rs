//! What a page may take of the app. A script in a window can call commands without end, so each
//! command has a bound, in one table: how many of it run at a time, for each window or for the
//! app as a whole, and how soon after one the next may begin. What the commands under way were
//! given is bounded for all of them together.
//!
//! A command takes a [`Permit`] as an argument: the command is refused where none is to be had,
//! before its other work, and gives it back at its end, however it ends. What a message costs
//! before any command sees it is bounded in the page, by `bounds.js`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tauri::ipc::{CommandArg, CommandItem, InvokeBody, InvokeError};
use tauri::{AppHandle, Manager as _, Runtime};
use vestibule_core::error::{AuthError, ErrorCode};

/// The most windows at a time: the engine takes some 100 MB for each.
pub const WINDOWS: usize = 10;
/// The most that all commands under way were given, in bytes. Some of it is held twice.
const GIVEN: usize = 12 * 1024 * 1024;
/// What a value of a JSON text takes beside its text.
const VALUE: usize = 32;

/// The script that bounds what a page says to the shell, for every frame.
pub const SCRIPT: &str = include_str!("bounds.js");

/// Whose commands are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Window,
    App,
}

/// The bound of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound {
    whose: Whose,
    at_once: usize,
    /// From the beginning of one to that of the next.
    gap: Duration,
}

/// The bound of every command. One that is not named has the last.
fn bound(command: &str) -> Bound {
    let (whose, at_once, gap_ms) = match command {
        // An engine process each. Together they are bounded by [`WINDOWS`].
        "new_window" => (Whose::App, 1, 0),
        // Shows a dialog over all that is on the screen.
        "unlock_keyring" => (Whose::App, 1, 3_000),
        // Starts another program.
        "open_log_folder" => (Whose::App, 1, 5_000),
        // Writes a file each.
        "export_people" => (Whose::App, 1, 0),
        "set_theme" | "set_reports" => (Whose::App, 1, 50),
        // A request to the backend each, which may take half a minute; there is one session.
        "login" | "register" | "verify_otp" | "resend_otp" => (Whose::App, 8, 0),
        // The answer to a page that is busy: pieces of a body come one by one for each exchange.
        _ => (Whose::Window, 128, 0),
    };
    Bound {
        whose,
        at_once,
        gap: Duration::from_millis(gap_ms),
    }
}

/// What is under way of all that has a bound.
#[derive(Default)]
pub struct Bounds(Mutex<UnderWay>);

#[derive(Default)]
struct UnderWay {
    /// By command and window; one that has none has no entry.
    counts: HashMap<Key, usize>,
    /// When a command with a gap last began.
    began: HashMap<&'static str, Instant>,
    given: usize,
    /// Windows that are being opened.
    opening: usize,
}

/// A command, and the label of the window, which is empty where all windows count together.
type Key = (&'static str, String);

impl Bounds {
    fn admit(&self, command: &'static str, window: &str, given: usize) -> Result<Key, AuthError> {
        let Bound {
            whose,
            at_once,
            gap,
        } = bound(command);
        let label = match whose {
            Whose::Window => window,
            Whose::App => "",
        };
        let key = (command, label.to_owned());
        let mut under_way = self.under_way();
        let count = under_way.counts.get(&key).copied().unwrap_or_default();
        if count >= at_once {
            return Err(refusal(format!(
                "`{command}` is under way {count} times, which is the most. Call it again when \
                 one has answered."
            )));
        }
        if under_way.given.saturating_add(given) > GIVEN {
            return Err(refusal(format!(
                "The commands under way were given {} bytes; with the {given} of this \
                 `{command}` it would be more than {GIVEN}. Call it again when one has answered.",
                under_way.given
            )));
        }
        let now = Instant::now();
        let began = under_way.began.get(command);
        let wait = began.and_then(|began| gap.checked_sub(now.duration_since(*began)));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            let words = format!(
                "`{command}` can be called once in {} ms. Call it again after `retryAfterMs`.",
                gap.as_millis()
            );
            return Err(refusal(words).retry_after(Some(wait)));
        }
        if !gap.is_zero() {
            under_way.began.insert(command, now);
        }
        under_way.given += given;
        *under_way.counts.entry(key.clone()).or_default() += 1;
        Ok(key)
    }

    fn end(&self, key: &Key, given: usize) {
        let mut under_way = self.under_way();
        under_way.given = under_way.given.saturating_sub(given);
        if let Some(count) = under_way.counts.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                under_way.counts.remove(key);
            }
        }
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For whoever wrote the page. Not logged: a page that asks without end would fill the log.
fn refusal(words: String) -> AuthError {
    AuthError::with_message(ErrorCode::Busy, words)
}

/// Lets a command run, for as long as it is kept.
pub struct Permit<R: Runtime> {
    app: AppHandle<R>,
    key: Key,
    given: usize,
}

impl<'de, R: Runtime> CommandArg<'de, R> for Permit<R> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let webview = command.message.webview_ref();
        let app = webview.app_handle().clone();
        let given = match command.message.payload() {
            InvokeBody::Raw(bytes) => bytes.len(),
            InvokeBody::Json(value) => size(value),
        };
        let admitted = app
            .state::<Bounds>()
            .admit(command.name, webview.label(), given);
        let key = admitted.map_err(InvokeError::from)?;
        Ok(Self { app, key, given })
    }
}

impl<R: Runtime> Drop for Permit<R> {
    fn drop(&mut self) {
        self.app.state::<Bounds>().end(&self.key, self.given);
    }
}

/// What a value takes in memory, roughly.
fn size(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| VALUE + name.len() + size(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    VALUE + inner
}

/// Room for a window that is being opened; to be kept until it is there.
pub struct Room(AppHandle);

/// Refuses one window more than [`WINDOWS`], those counted that are being opened.
///
/// # Errors
/// If there are as many.
pub fn one_window_more(app: &AppHandle) -> Result<Room, AuthError> {
    let bounds = app.state::<Bounds>();
    let mut under_way = bounds.under_way();
    if app.webview_windows().len() + under_way.opening >= WINDOWS {
        return Err(refusal(format!(
            "There are {WINDOWS} windows, which is the most. Close one first."
        )));
    }
    under_way.opening += 1;
    Ok(Room(app.clone()))
}

impl Drop for Room {
    fn drop(&mut self) {
        self.0.state::<Bounds>().under_way().opening -= 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::command_list::command_list;

    #[test]
    fn a_window_gets_its_share_and_no_more() {
        let bounds = Bounds::default();
        let admitted: Vec<_> = (0..1_000)
            .map(|_| bounds.admit("backend_read", "main", 10))
            .collect();
        let keys: Vec<_> = admitted.iter().flatten().collect();
        assert_eq!(keys.len(), 128);
        let refused = admitted[128].as_ref().expect_err("too many");
        assert_eq!(refused.code, ErrorCode::Busy);
        assert!(refused.message.contains("`backend_read`"), "{refused}");
        let other = bounds.admit("backend_read", "window-2", 10);
        let other = other.expect("another window has its own share");
        for key in keys.into_iter().chain([&other]) {
            bounds.end(key, 10);
        }
        let under_way = bounds.under_way();
        assert!(under_way.counts.is_empty(), "nothing is kept of a window");
        assert_eq!(under_way.given, 0);
    }

    #[test]
    fn what_shows_something_is_the_apps_and_has_a_pause() {
        let bounds = Bounds::default();
        let key = bounds
            .admit("unlock_keyring", "main", 0)
            .expect("the first");
        for window in ["main", "window-2"] {
            let refused = bounds.admit("unlock_keyring", window, 0);
            assert!(refused.is_err(), "one at a time");
        }
        bounds.end(&key, 0);
        let refused = bounds.admit("unlock_keyring", "main", 0);
        let refused = refused.expect_err("too soon");
        let wait = refused.retry_after_ms.expect("a time to wait");
        assert!((1..=3_000).contains(&wait), "{wait}");
    }

    #[test]
    fn what_commands_were_given_is_bounded_together() {
        let bounds = Bounds::default();
        let half = GIVEN / 2 + 1;
        let key = bounds.admit("backend_fetch", "main", half).expect("room");
        let refused = bounds.admit("login", "window-2", half);
        assert!(refused.is_err(), "too much");
        bounds.end(&key, half);
        bounds.admit("login", "window-2", half).expect("room again");
    }

    #[test]
    fn many_small_values_are_not_small() {
        assert!(size(&json!(vec![json!([]); 1_000])) >= 32_000);
        assert!(size(&json!({ "a": "x".repeat(1_000) })) >= 1_000);
    }

    /// Each function that pages call takes a permit: a command without one has no bound.
    #[test]
    fn no_command_is_without_a_permit() {
        let sources = [
            include_str!("commands.rs"),
            include_str!("exchanges.rs"),
            include_str!("people.rs"),
        ];
        let commands: Vec<_> = sources
            .iter()
            .flat_map(|source| source.split("#[command]\n").skip(1))
            .collect();
        let listed = command_list!(names).len();
        assert_eq!(
            commands.len(),
            listed,
            "the sources above hold every command"
        );
        for command in commands {
            let head = command.split(") ->").next().unwrap_or_default();
            let head = head.split(") {").next().unwrap_or_default();
            assert!(head.contains("Permit<Wry>"), "{head}");
        }
    }
}
