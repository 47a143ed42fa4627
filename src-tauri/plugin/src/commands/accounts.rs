//! The commands about all accounts: which there are, and which one the window shows.

use tauri::ipc::JavaScriptChannelId;
use tauri::{State, Webview, Wry, command};
use vestibule_core::wire::{AccountList, FoundWorkspace};
use vestibule_core::AccountId;

use super::CommandResult;
use crate::account_list::ListChannels;
use crate::accounts::{AppAccounts, WindowSession};
use crate::command_limits::CommandSlot;

/// Answers with the list of accounts, and sends every later list to `changes`.
#[command]
pub async fn accounts(
    _slot: CommandSlot<Wry>,
    accounts: State<'_, AppAccounts>,
    webview: Webview,
    channels: State<'_, ListChannels>,
    changes: Option<JavaScriptChannelId>,
) -> CommandResult<AccountList> {
    let list = accounts.list(webview.label())?;
    if let Some(changes) = changes {
        channels.open(webview.label(), (), changes.channel_on(webview.clone()));
    }
    Ok(list)
}

#[command]
pub async fn switch_account(
    _slot: CommandSlot<Wry>,
    accounts: State<'_, AppAccounts>,
    webview: Webview,
    account: AccountId,
) -> CommandResult<()> {
    accounts.get()?.switch(webview.label(), account)
}

#[command]
pub async fn add_account(
    _slot: CommandSlot<Wry>,
    accounts: State<'_, AppAccounts>,
    webview: Webview,
    workspace: String,
) -> CommandResult<()> {
    accounts.add(webview.label(), &workspace)
}

#[command]
pub async fn remember_account(
    _slot: CommandSlot<Wry>,
    accounts: State<'_, AppAccounts>,
    session: WindowSession,
    on: bool,
) -> CommandResult<()> {
    accounts.get()?.remember(session.account(), on)
}

#[command]
pub async fn remove_account(
    _slot: CommandSlot<Wry>,
    accounts: State<'_, AppAccounts>,
    account: AccountId,
) -> CommandResult<()> {
    accounts.get()?.remove(account)
}

#[command]
pub async fn logout_all(
    _slot: CommandSlot<Wry>,
    accounts: State<'_, AppAccounts>,
) -> CommandResult<()> {
    accounts.get()?.logout_all().await
}

#[command]
pub async fn look_at_workspace(
    _slot: CommandSlot<Wry>,
    accounts: State<'_, AppAccounts>,
    webview: Webview,
    address: String,
) -> CommandResult<FoundWorkspace> {
    accounts.look(webview.label(), &address).await
}

#[command]
pub async fn add_workspace(
    _slot: CommandSlot<Wry>,
    accounts: State<'_, AppAccounts>,
    webview: Webview,
    address: String,
) -> CommandResult<()> {
    accounts.add_workspace(webview.label(), &address)
}

#[command]
pub async fn remove_workspace(
    _slot: CommandSlot<Wry>,
    accounts: State<'_, AppAccounts>,
    workspace: String,
) -> CommandResult<()> {
    accounts.remove_workspace(&workspace)
}
