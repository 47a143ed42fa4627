//! The commands that pages call, by group. Each hands over to the core and returns. How often a page
//! may call them is in [`crate::command_limits`].

pub mod accounts;
pub mod app;
pub mod backend_calls;
pub mod browser_sign_in;
pub mod deep_links;
pub mod session;
pub mod session_list;
pub mod sign_in;

use tauri::Wry;
use tauri::ipc::Invoke;
use vestibule_core::{AuthError, ErrorCode};

use crate::command_list::command_list;

/// Tauri's handler for all commands.
pub fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    command_list!(handler)
}

/// The answer of a command.
pub type CommandResult<T> = Result<T, AuthError>;

/// Logs the cause of a fault of this app; the page gets a sentence without it.
pub fn internal_error(error: impl std::fmt::Display) -> AuthError {
    tracing::error!(%error, "a command failed");
    ErrorCode::Internal.into()
}

/// The sources of all commands, for tests that read them.
#[cfg(test)]
pub const SOURCES: [&str; 8] = [
    include_str!("accounts.rs"),
    include_str!("app.rs"),
    include_str!("backend_calls.rs"),
    include_str!("browser_sign_in.rs"),
    include_str!("deep_links.rs"),
    include_str!("session.rs"),
    include_str!("session_list.rs"),
    include_str!("sign_in.rs"),
];

#[cfg(test)]
mod tests {
    use super::{SOURCES, command_list};

    /// Arguments of a command that Tauri fills in, not the page.
    const FILLED_IN: [&str; 7] = [
        "AppHandle",
        "CommandSlot<",
        "OneAtATime<",
        "Request<",
        "State<",
        "Webview",
        "WindowSession",
    ];

    macro_rules! listed {
        ($($(#[$about:meta])* $group:ident {
            $($name:ident $arguments:tt $(-> $answer:ty)?;)*
        })*) => {
            [$($((stringify!($name), stringify!($arguments))),*),*]
        };
    }

    /// The names of the parameters in `list`, without those that Tauri fills in.
    fn names(list: &str) -> Vec<&str> {
        let parameters = list.split(',').filter_map(|one| one.split_once(':'));
        let parameters = parameters.map(|(name, kind)| (name.trim(), kind.trim()));
        let of_page = parameters.filter(|(_, kind)| {
            !FILLED_IN
                .iter()
                .any(|filled_in| kind.starts_with(filled_in))
        });
        of_page.map(|(name, _)| name).collect()
    }

    /// The page's functions are generated from the list, so a command has to take what the list says.
    #[test]
    fn a_command_takes_the_arguments_of_its_line_in_the_list() {
        let sources = SOURCES.concat();
        for (name, listed) in command_list!(each with listed()) {
            let (_, function) = sources
                .split_once(&format!("fn {name}("))
                .unwrap_or_else(|| panic!("there is no command {name}"));
            let (taken, _) = function.split_once(')').expect("the end of the parameters");
            let listed = listed.trim_matches(['(', ')']);
            assert_eq!(names(taken), names(listed), "{name}");
        }
    }
}
