//! The commands that pages call, by group. Each hands over to the core and returns. How often a page
//! may call them is in [`crate::command_limits`].

pub mod app;
pub mod backend_calls;
pub mod session;
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
