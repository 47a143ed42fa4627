//! The commands about the app itself: its windows, preferences and log.

use tauri::{AppHandle, State, WebviewWindow, Wry, command};
use vestibule_core::wire::{AppInfo, Theme};

use super::{CommandResult, internal_error};
use crate::accounts::{AppAccounts, WindowSession, product_name};
use crate::command_limits::CommandSlot;
use crate::{error_reporting, logging, preferences, windows};

#[command]
pub async fn window_ready(_slot: CommandSlot<Wry>, window: WebviewWindow) -> CommandResult<()> {
    windows::show(&window);
    Ok(())
}

// Asynchronous, because opening a window from a synchronous command deadlocks on Windows.
#[command]
pub async fn new_window(
    _slot: CommandSlot<Wry>,
    app: AppHandle,
    window: WebviewWindow,
) -> CommandResult<()> {
    windows::open_another(&app, Some(window.label())).map(drop)
}

// Asynchronous, because the session may have to be opened.
#[command]
pub async fn app_info(
    _slot: CommandSlot<Wry>,
    app: AppHandle,
    session: WindowSession,
    accounts: State<'_, AppAccounts>,
) -> CommandResult<AppInfo> {
    let package = app.package_info();
    Ok(AppInfo {
        product: product_name(&app),
        version: package.version.to_string(),
        development: cfg!(debug_assertions),
        workspace: session.workspace().to_owned(),
        origin: session.origin(),
        reports: error_reporting::user_choice(&app),
        policy: accounts.policy(session.workspace()),
    })
}

#[command]
pub fn theme(_slot: CommandSlot<Wry>, app: AppHandle) -> Theme {
    preferences::theme(&app)
}

#[command]
pub fn set_theme(_slot: CommandSlot<Wry>, app: AppHandle, theme: Theme) -> CommandResult<()> {
    preferences::set_theme(&app, theme).map_err(internal_error)
}

#[command]
pub fn set_reports(_slot: CommandSlot<Wry>, app: AppHandle, on: bool) -> CommandResult<()> {
    error_reporting::set_user_choice(&app, on).map_err(internal_error)
}

#[command]
pub async fn open_log_folder(_slot: CommandSlot<Wry>, app: AppHandle) -> CommandResult<()> {
    logging::open_folder(&app).map_err(internal_error)
}
