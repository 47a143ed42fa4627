//! The commands by which a page shows what links ask, and opens one that a person has pasted.

use tauri::ipc::JavaScriptChannelId;
use tauri::{AppHandle, State, Webview, Wry, command};
use vestibule_core::wire::{LinkNotices, OpenedLink};

use super::CommandResult;
use crate::command_limits::CommandSlot;
use crate::deep_links::{self, DeepLinks};

/// Answers with what waits for the window's page, and sends every later change to `changes`.
#[command]
pub async fn link_notices(
    _slot: CommandSlot<Wry>,
    links: State<'_, DeepLinks>,
    webview: Webview,
    changes: Option<JavaScriptChannelId>,
) -> CommandResult<LinkNotices> {
    let changes = changes.map(|changes| changes.channel_on(webview.clone()));
    Ok(links.notices_for(webview.label(), changes))
}

#[command]
pub fn take_link_notice(
    _slot: CommandSlot<Wry>,
    links: State<'_, DeepLinks>,
    webview: Webview,
    id: u32,
) {
    links.take(webview.label(), id);
}

#[command]
pub async fn open_link(
    _slot: CommandSlot<Wry>,
    app: AppHandle,
    link: String,
) -> CommandResult<OpenedLink> {
    deep_links::open(&app, link.trim().as_bytes())
}
