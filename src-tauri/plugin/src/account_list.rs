//! Sends the list of accounts to each window, over the channel that its page has opened with the command
//! `accounts`, and shows it in the menu.

use tauri::{AppHandle, Manager as _};
use vestibule_core::accounts::Accounts;
use vestibule_core::wire::AccountList;

use crate::account_menu;
use crate::accounts::AppAccounts;
use crate::window_channels::{self, WindowChannels};

/// The channels of each window's page.
pub type ListChannels = WindowChannels<(), AccountList>;

/// Forwards every change of the list until the app ends.
pub fn forward(app: AppHandle, accounts: &Accounts) {
    let mut changes = accounts.subscribe();
    changes.mark_changed();
    tauri::async_runtime::spawn(async move {
        while changes.changed().await.is_ok() {
            changes.mark_unchanged();
            let channels = app.state::<ListChannels>();
            let all = app.state::<AppAccounts>();
            let due = channels.windows().into_iter().flat_map(|window| {
                // A window that waits for its next page is told by that page's own read.
                let list = all.list(&window).ok();
                list.map_or_else(Vec::new, |list| channels.due(Some(&window), &(), &list))
            });
            window_channels::send(&app, due.collect());
            account_menu::update(&app);
        }
    });
}
