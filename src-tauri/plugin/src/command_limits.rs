//! Limits how much a page may ask of the app. A script in a window can call commands without end,
//! so one table has a bound for each command: how many calls of it run at a time, for each window
//! or for the whole app, and how often calls of it may begin. The size of the arguments
//! of all running commands is bounded together.
//!
//! A command takes a [`CommandSlot`] as an argument. Where no slot is left the command is refused
//! before it does any work; the slot is given back when the command ends, however it ends. What a
//! message costs before it reaches a command is bounded in the page's process, by
//! `lockdown/messages.rs`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tauri::ipc::{CommandArg, CommandItem, InvokeBody, InvokeError};
use tauri::{AppHandle, Manager as _, Runtime};
use vestibule_core::{AuthError, ErrorCode};

use crate::lockdown::LockedWindows;

/// The most windows at a time: the engine needs about 100 MB for each.
pub const WINDOWS: usize = 10;
/// The most bytes in the arguments of all running commands. The app holds some of them twice.
const MAX_PAYLOAD_BYTES: usize = 12 * 1024 * 1024;
/// The bytes that a JSON value takes in memory beside its text.
const VALUE_OVERHEAD: usize = 32;

/// Which calls of a command are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Window,
    App,
}

/// How often calls may begin that are counted together: some in a row, and then one in each `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace {
    /// What they are counted under.
    name: &'static str,
    in_a_row: u32,
    every: Duration,
    /// What is bounded, at the beginning of a sentence, where the page shows the refusal to a person.
    subject: Option<&'static str>,
}

impl Pace {
    /// One call of a command in each `every`.
    const fn gap(command: &'static str, every: Duration) -> Self {
        Self {
            name: command,
            in_a_row: 1,
            every,
            subject: None,
        }
    }

    /// How long the next call has to wait. `used_up_until` is when the calls so far no longer count.
    fn wait(&self, used_up_until: Option<Instant>, now: Instant) -> Option<Duration> {
        let used = used_up_until?.saturating_duration_since(now);
        let free = self.every * self.in_a_row.saturating_sub(1);
        used.checked_sub(free).filter(|wait| !wait.is_zero())
    }

    /// When the calls no longer count after one more.
    fn after_one_more(&self, used_up_until: Option<Instant>, now: Instant) -> Instant {
        used_up_until.unwrap_or(now).max(now) + self.every
    }

    fn words(&self, command: &str) -> String {
        let every = self.every.as_millis();
        match self.subject {
            Some(subject) => format!(
                "{subject} can be tried {} times in a row, and then once in {} seconds. Wait a little \
                 before the next try.",
                self.in_a_row,
                every.div_ceil(1_000)
            ),
            None => format!(
                "`{command}` may be called once in {every} ms. Call it again after `retryAfterMs`."
            ),
        }
    }
}

/// Openings of the system's browser, and requests for a code for another device. A person tries a few
/// times; a script could open a page of the browser every second for ever. A sign-in that succeeds
/// counts too: where the provider still knows the person, a script can bring one about.
const BROWSER_SIGN_INS: Pace = Pace {
    name: "browser sign-ins",
    in_a_row: 10,
    every: Duration::from_secs(60),
    subject: Some("A sign-in in the browser"),
};

/// The bound of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CommandLimit {
    scope: Scope,
    at_once: usize,
    pace: Pace,
}

/// The bound of each command. The last row is for all that are not named.
fn limit_of(command: &'static str) -> CommandLimit {
    let (scope, at_once, gap_ms) = match command {
        // Each window costs an engine process. [`WINDOWS`] bounds their number.
        "new_window" => (Scope::App, 1, 0),
        // Each call may show a dialog over everything else on the screen.
        "unlock_keyring" => (Scope::App, 1, 3_000),
        // Each call starts another program.
        "open_log_folder" => (Scope::App, 1, 5_000),
        "set_theme" | "set_reports" => (Scope::App, 1, 50),
        // Each call loads a page anew, or writes the list of accounts.
        "switch_account" | "add_account" | "remove_account" | "remember_account" | "logout_all"
        | "add_workspace" | "remove_workspace" => (Scope::App, 1, 100),
        // Each call asks a person whether a server may be contacted; `question.rs` has the pauses.
        "look_at_workspace" => (Scope::App, 1, 0),
        // Each call sends a request to the backend, which may take half a minute. A person signs in
        // in one window at a time, so a few at once are enough.
        "login" | "register" | "verify_otp" | "send_otp" => (Scope::App, 8, 0),
        // Each call opens the system's browser. The first runs until the person has signed in there: one
        // in each window. [`BROWSER_SIGN_INS`] bounds how often both are called.
        "sign_in_by_browser" => (Scope::App, WINDOWS, 0),
        "open_browser_again" => (Scope::App, 1, 0),
        // Each call replaces what the person has copied.
        "copy_browser_address" => (Scope::App, 1, 500),
        // Each call may bring a window to the front. Nobody mends a pasted link within this.
        "open_link" => (Scope::App, 1, 100),
        // A list may be long, and each account reads one at a time.
        "sessions" | "end_session" | "end_other_sessions" => (Scope::App, 8, 0),
        // Enough for a busy page, whose bodies are sent and read piece by piece.
        _ => (Scope::Window, 128, 0),
    };
    let pace = match command {
        "sign_in_by_browser" | "open_browser_again" => BROWSER_SIGN_INS,
        _ => Pace::gap(command, Duration::from_millis(gap_ms)),
    };
    CommandLimit {
        scope,
        at_once,
        pace,
    }
}

/// The calls that are running now.
#[derive(Default)]
pub struct CommandLimits(Mutex<RunningCommands>);

#[derive(Default)]
struct RunningCommands {
    /// The number of running calls by command and window. A number of zero has no entry.
    counts: HashMap<Key, usize>,
    /// When the calls of each [`Pace`] no longer count.
    used_up_until: HashMap<&'static str, Instant>,
    given: usize,
    /// Windows that are being opened.
    opening: usize,
}

/// A command and the label of a window. The label is empty where all windows count together.
type Key = (&'static str, String);

impl CommandLimits {
    fn admit(
        &self,
        command: &'static str,
        limit: CommandLimit,
        window: &str,
        given: usize,
    ) -> Result<Key, AuthError> {
        let CommandLimit {
            scope,
            at_once,
            pace,
        } = limit;
        let label = match scope {
            Scope::Window => window,
            Scope::App => "",
        };
        let key = (command, label.to_owned());
        let mut running = self.running();
        let count = running.counts.get(&key).copied().unwrap_or_default();
        if count >= at_once {
            return Err(busy(format!(
                "`{command}` is running {count} times, which is the most. Call it again when one \
                 has answered."
            )));
        }
        if running.given.saturating_add(given) > MAX_PAYLOAD_BYTES {
            return Err(busy(format!(
                "The arguments of all running commands have {} bytes; with the {given} bytes of \
                 this `{command}` they would have more than {MAX_PAYLOAD_BYTES}. Call it again when one has \
                 answered.",
                running.given
            )));
        }
        let now = Instant::now();
        if !pace.every.is_zero() {
            let used_up_until = running.used_up_until.get(pace.name).copied();
            if let Some(wait) = pace.wait(used_up_until, now) {
                return Err(busy(pace.words(command)).retry_after(Some(wait)));
            }
            let later = pace.after_one_more(used_up_until, now);
            running.used_up_until.insert(pace.name, later);
        }
        running.given += given;
        *running.counts.entry(key.clone()).or_default() += 1;
        Ok(key)
    }

    fn end(&self, key: &Key, given: usize) {
        let mut running = self.running();
        running.given = running.given.saturating_sub(given);
        if let Some(count) = running.counts.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                running.counts.remove(key);
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, RunningCommands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The message is for the developers of the page, or for a person ([`Pace::subject`]). It is not logged: a page that calls commands
/// without end would fill the log.
fn busy(words: String) -> AuthError {
    AuthError::with_message(ErrorCode::Busy, words)
}

/// Lets one call of a command run, for as long as this value is kept: an argument of a command. A page
/// may call a command of the app 128 times at once for each window; see [`OneAtATime`]. Only a
/// window that [`crate::window`] has built gets a slot.
pub struct CommandSlot<R: Runtime> {
    app: AppHandle<R>,
    key: Key,
    given: usize,
}

impl<'de, R: Runtime> CommandArg<'de, R> for CommandSlot<R> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let limit = limit_of(command.name);
        Self::admit(&command, limit).map_err(InvokeError::from)
    }
}

/// A [`CommandSlot`] of which there is one for the whole app: for a command that shows something,
/// starts a program or writes a file.
pub struct OneAtATime<R: Runtime>(CommandSlot<R>);

impl<'de, R: Runtime> CommandArg<'de, R> for OneAtATime<R> {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        let limit = CommandLimit {
            scope: Scope::App,
            at_once: 1,
            pace: Pace::gap(command.name, Duration::ZERO),
        };
        let slot = CommandSlot::admit(&command, limit);
        slot.map(Self).map_err(InvokeError::from)
    }
}

impl<R: Runtime> CommandSlot<R> {
    fn admit(command: &CommandItem<'_, R>, limit: CommandLimit) -> Result<Self, AuthError> {
        let webview = command.message.webview_ref();
        let app = webview.app_handle().clone();
        app.state::<LockedWindows>().require(webview.label())?;
        let given = match command.message.payload() {
            InvokeBody::Raw(bytes) => bytes.len(),
            InvokeBody::Json(value) => size(value),
        };
        let limits = app.state::<CommandLimits>();
        let key = limits.admit(command.name, limit, webview.label(), given)?;
        Ok(Self { app, key, given })
    }
}

impl<R: Runtime> Drop for CommandSlot<R> {
    fn drop(&mut self) {
        self.app.state::<CommandLimits>().end(&self.key, self.given);
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
            .map(|(name, value)| VALUE_OVERHEAD + name.len() + size(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    VALUE_OVERHEAD + inner
}

/// Reserves the place of a window that is being opened. It is kept until the window is there.
pub struct WindowSlot(AppHandle);

/// Reserves a place for one more window. Windows that are being opened count too.
///
/// # Errors
/// If there are [`WINDOWS`] already.
pub fn reserve_window(app: &AppHandle) -> Result<WindowSlot, AuthError> {
    let limits = app.state::<CommandLimits>();
    let mut running = limits.running();
    if app.webview_windows().len() + running.opening >= WINDOWS {
        return Err(busy(format!(
            "There are {WINDOWS} windows, which is the most. Close one first."
        )));
    }
    running.opening += 1;
    Ok(WindowSlot(app.clone()))
}

impl Drop for WindowSlot {
    fn drop(&mut self) {
        self.0.state::<CommandLimits>().running().opening -= 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::command_list::command_list;
    use crate::commands::SOURCES;

    #[test]
    fn a_window_gets_its_share_and_no_more() {
        let limits = CommandLimits::default();
        let admitted: Vec<_> = (0..1_000)
            .map(|_| limits.admit("backend_read", limit_of("backend_read"), "main", 10))
            .collect();
        let keys: Vec<_> = admitted.iter().flatten().collect();
        assert_eq!(keys.len(), 128);
        let refused = admitted[128].as_ref().expect_err("too many");
        assert_eq!(refused.code, ErrorCode::Busy);
        assert!(refused.message.contains("`backend_read`"), "{refused}");
        let other = limits.admit("backend_read", limit_of("backend_read"), "window-2", 10);
        let other = other.expect("another window has its own share");
        for key in keys.into_iter().chain([&other]) {
            limits.end(key, 10);
        }
        let running = limits.running();
        assert!(running.counts.is_empty(), "nothing is kept of a window");
        assert_eq!(running.given, 0);
    }

    #[test]
    fn what_shows_something_is_the_apps_and_has_a_pause() {
        let limits = CommandLimits::default();
        let key = limits
            .admit("unlock_keyring", limit_of("unlock_keyring"), "main", 0)
            .expect("the first");
        for window in ["main", "window-2"] {
            let refused = limits.admit("unlock_keyring", limit_of("unlock_keyring"), window, 0);
            assert!(refused.is_err(), "one at a time");
        }
        limits.end(&key, 0);
        let refused = limits.admit("unlock_keyring", limit_of("unlock_keyring"), "main", 0);
        let refused = refused.expect_err("too soon");
        let wait = refused.retry_after_ms.expect("a time to wait");
        assert!((1..=3_000).contains(&wait), "{wait}");
    }

    #[test]
    fn the_browser_is_opened_a_few_times_and_then_once_a_minute_however_it_is_asked() {
        let limits = CommandLimits::default();
        let call = |command, window| {
            let key = limits.admit(command, limit_of(command), window, 0)?;
            limits.end(&key, 0);
            Ok::<_, AuthError>(())
        };
        for number in 0..5 {
            call("sign_in_by_browser", "main").unwrap_or_else(|error| panic!("{number}: {error}"));
            call("open_browser_again", "window-2").expect("a person may open it again at once");
        }
        for command in ["sign_in_by_browser", "open_browser_again"] {
            let refused = call(command, "main").expect_err("the eleventh");
            assert_eq!(refused.code, ErrorCode::Busy);
            let wait = refused.retry_after_ms.expect("a time to wait");
            assert!((1..=60_000).contains(&wait), "{wait}");
            // The page shows it to a person, who knows no commands.
            assert!(!refused.message.contains(command), "{refused}");
            assert!(refused.message.contains("10 times in a row"), "{refused}");
        }
        let another = limits.admit("unlock_keyring", limit_of("unlock_keyring"), "main", 0);
        assert!(another.is_ok(), "other commands are counted by themselves");
    }

    #[test]
    fn what_is_used_up_comes_back_one_by_one() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let pace = Pace {
            in_a_row: 3,
            every: Duration::from_secs(60),
            ..BROWSER_SIGN_INS
        };
        let mut used_up_until = None;
        let mut begin = |seconds| {
            let wait = pace.wait(used_up_until, at(seconds));
            if wait.is_none() {
                used_up_until = Some(pace.after_one_more(used_up_until, at(seconds)));
            }
            wait.map(|wait| wait.as_secs())
        };
        assert_eq!([0, 0, 0].map(&mut begin), [None; 3]);
        assert_eq!(begin(0), Some(60));
        assert_eq!(begin(59), Some(1));
        assert_eq!(begin(60), None, "one a minute");
        assert_eq!(begin(61), Some(59));
        assert_eq!(
            [300, 300, 300].map(&mut begin),
            [None; 3],
            "and all after a quiet while"
        );
        assert_eq!(begin(300), Some(60), "but not more than before");
    }

    #[test]
    fn what_commands_were_given_is_bounded_together() {
        let limits = CommandLimits::default();
        let half = MAX_PAYLOAD_BYTES / 2 + 1;
        let key = limits
            .admit("backend_fetch", limit_of("backend_fetch"), "main", half)
            .expect("room");
        let refused = limits.admit("login", limit_of("login"), "window-2", half);
        assert!(refused.is_err(), "too much");
        limits.end(&key, half);
        limits
            .admit("login", limit_of("login"), "window-2", half)
            .expect("room again");
    }

    #[test]
    fn many_small_values_are_not_small() {
        assert!(size(&json!(vec![json!([]); 1_000])) >= 32_000);
        assert!(size(&json!({ "a": "x".repeat(1_000) })) >= 1_000);
    }

    /// Each function that pages call takes a slot, because a command without one has no bound.
    #[test]
    fn no_command_is_without_a_permit() {
        let commands: Vec<_> = SOURCES
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
            assert!(head.contains("CommandSlot<Wry>"), "{head}");
        }
    }
}
