//! The commands by which a page sees the session and ends it.

use tauri::ipc::JavaScriptChannelId;
use tauri::{State, Webview, Wry, command};
use vestibule_core::wire::{LogoutReply, SessionChanged};

use super::CommandResult;
use crate::accounts::WindowSession;
use crate::command_limits::CommandSlot;
use crate::session_events::SessionChannels;

/// Answers with the state of the window's session, and sends every later change to `changes`.
// Asynchronous, because it tries again where the app could not start, which may take a moment.
#[command]
pub async fn session(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
    webview: Webview,
    channels: State<'_, SessionChannels>,
    changes: Option<JavaScriptChannelId>,
) -> CommandResult<SessionChanged> {
    if let Some(changes) = changes {
        let changes = changes.channel_on(webview.clone());
        channels.open(webview.label(), session.account(), changes);
    }
    Ok(session.snapshot())
}

#[command]
pub async fn refresh(_slot: CommandSlot<Wry>, session: WindowSession) -> CommandResult<()> {
    session.refresh_for_page().await
}

#[command]
pub async fn unlock_keyring(_slot: CommandSlot<Wry>, session: WindowSession) -> CommandResult<()> {
    session.unlock_keyring().await
}

#[command]
pub async fn logout(_slot: CommandSlot<Wry>, session: WindowSession) -> CommandResult<LogoutReply> {
    Ok(session.logout().await)
}
