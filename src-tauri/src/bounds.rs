//! Bounds how much a page may ask of the app. A script in a window can call commands without end,
//! so one table has a bound for each command: how many calls of it run at a time, for each window
//! or for the whole app, and how soon after one call the next may begin. The size of the arguments
//! of all running commands is bounded together.
//!
//! A command takes a [`Permit`] as an argument. Where no permit is left the command is refused
//! before it does any work; the permit is given back when the command ends, however it ends. What a
//! message costs before it reaches a command is bounded in the page, by `bounds.js`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tauri::ipc::{CommandArg, CommandItem, InvokeBody, InvokeError};
use tauri::{AppHandle, Manager as _, Runtime};
use vestibule_core::error::{AuthError, ErrorCode};

/// The most windows at a time: the engine needs about 100 MB for each.
pub const WINDOWS: usize = 10;
/// The most bytes in the arguments of all running commands. The app holds some of them twice.
const GIVEN: usize = 12 * 1024 * 1024;
/// The bytes that a JSON value takes in memory beside its text.
const VALUE: usize = 32;

/// The script that bounds what a page may send to the shell. It runs in every frame.
pub const SCRIPT: &str = include_str!("bounds.js");

/// Which calls of a command are counted together.
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
    /// The least time between the beginnings of two calls.
    gap: Duration,
}

/// The bound of each command. The last row is for all that are not named.
fn bound(command: &str) -> Bound {
    let (whose, at_once, gap_ms) = match command {
        // Each window costs an engine process. [`WINDOWS`] bounds their number.
        "new_window" => (Whose::App, 1, 0),
        // Each call may show a dialog over everything else on the screen.
        "unlock_keyring" => (Whose::App, 1, 3_000),
        // Each call starts another program.
        "open_log_folder" => (Whose::App, 1, 5_000),
        // Each call writes a file.
        "export_people" => (Whose::App, 1, 0),
        "set_theme" | "set_reports" => (Whose::App, 1, 50),
        // Each call sends a request to the backend, which may take half a minute. All windows
        // share one session, so a few at once are enough.
        "login" | "register" | "verify_otp" | "resend_otp" => (Whose::App, 8, 0),
        // Enough for a busy page, whose bodies are sent and read piece by piece.
        _ => (Whose::Window, 128, 0),
    };
    Bound {
        whose,
        at_once,
        gap: Duration::from_millis(gap_ms),
    }
}

/// The calls that are running now.
#[derive(Default)]
pub struct Bounds(Mutex<UnderWay>);

#[derive(Default)]
struct UnderWay {
    /// The number of running calls by command and window. A number of zero has no entry.
    counts: HashMap<Key, usize>,
    /// When each command that has a gap last began.
    began: HashMap<&'static str, Instant>,
    given: usize,
    /// Windows that are being opened.
    opening: usize,
}

/// A command and the label of a window. The label is empty where all windows count together.
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
                "`{command}` is running {count} times, which is the most. Call it again when one \
                 has answered."
            )));
        }
        if under_way.given.saturating_add(given) > GIVEN {
            return Err(refusal(format!(
                "The arguments of all running commands have {} bytes; with the {given} bytes of \
                 this `{command}` they would have more than {GIVEN}. Call it again when one has \
                 answered.",
                under_way.given
            )));
        }
        let now = Instant::now();
        let began = under_way.began.get(command);
        let wait = began.and_then(|began| gap.checked_sub(now.duration_since(*began)));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            let words = format!(
                "`{command}` may be called once in {} ms. Call it again after `retryAfterMs`.",
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

/// The message is for the developers of the page. It is not logged: a page that calls commands
/// without end would fill the log.
fn refusal(words: String) -> AuthError {
    AuthError::with_message(ErrorCode::Busy, words)
}

/// Lets one call of a command run, for as long as this value is kept.
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

/// Roughly the bytes that a value takes in memory.
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

/// Reserves the place of a window that is being opened. It is kept until the window is there.
pub struct Room(AppHandle);

/// Reserves a place for one more window. Windows that are being opened count too.
///
/// # Errors
/// If there are [`WINDOWS`] already.
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

    /// Each function that pages call takes a permit, because a command without one has no bound.
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
