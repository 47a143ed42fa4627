//! The commands by which a person signs in outside of the app.

use tauri::{State, Webview, Wry, command};
use vestibule_core::wire::{BrowserSignInInput, SignInOutcome};

use super::CommandResult;
use crate::accounts::WindowSession;
use crate::browser_sign_ins::BrowserSignIns;
use crate::command_limits::CommandSlot;

#[command]
pub async fn sign_in_by_browser(
    _slot: CommandSlot<Wry>,
    window: Webview,
    running: State<'_, BrowserSignIns>,
    session: WindowSession,
    input: BrowserSignInInput,
) -> CommandResult<SignInOutcome> {
    let _begun = running.begin(window.label(), &session);
    session.sign_in_by_browser(input).await
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
