//! The commands by which a person signs in outside of the app.

use tauri::{AppHandle, State, Webview, Wry, async_runtime, command};
use vestibule_core::session::Session;
use vestibule_core::wire::{BrowserSignInInput, SignInOutcome};

use super::{CommandResult, internal_error};
use crate::accounts::{AppAccounts, WindowSession};
use crate::browser_sign_ins::BrowserSignIns;
use crate::command_limits::CommandSlot;

#[command]
pub async fn sign_in_by_browser(
    _slot: CommandSlot<Wry>,
    app: AppHandle,
    window: Webview,
    accounts: State<'_, AppAccounts>,
    session: WindowSession,
    input: BrowserSignInInput,
) -> CommandResult<SignInOutcome> {
    let begun = BrowserSignIns::begin(&app, window.label(), &session);
    // A window that has closed or has changed its account before that was noted has given up nothing.
    accounts.require_shown(window.label(), session.account())?;
    let session = Session::clone(&session);
    // In a task of its own, so that it is known for as long as it goes on, whatever becomes of this call.
    let signing_in = async_runtime::spawn(async move {
        let _begun = begun;
        session.sign_in_by_browser(input).await
    });
    signing_in
        .await
        .unwrap_or_else(|error| Err(internal_error(error)))
}

#[command]
pub async fn open_browser_again(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
) -> CommandResult<()> {
    session.open_browser_again().await
}

#[command]
pub async fn copy_browser_address(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
) -> CommandResult<()> {
    session.copy_browser_address().await
}

#[command]
pub fn cancel_browser_sign_in(_slot: CommandSlot<Wry>, session: WindowSession) {
    session.cancel_browser_sign_in();
}
