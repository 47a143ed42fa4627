//! The accounts in the app's menu, each with a key: Ctrl or Cmd and 1 to 9. An item switches the window that
//! has the focus.

use std::sync::{Mutex, PoisonError};

use tauri::menu::{MenuItem, Submenu};
use tauri::{AppHandle, Manager as _, Wry};
use vestibule_core::AccountId;
use vestibule_core::wire::{AccountSummary, WorkspaceSummary};

use crate::accounts::AppAccounts;
use crate::lockdown::LockedWindows;
use crate::windows;

/// The beginning of an item's id.
const ITEM: &str = "account-";
/// How many accounts have a key.
const KEYS: usize = 9;

/// The menu of accounts.
pub struct AccountMenu {
    submenu: Submenu<Wry>,
    /// The accounts that it has, by id and text.
    shown: Mutex<Vec<(AccountId, String)>>,
}

impl AccountMenu {
    /// A menu without accounts.
    ///
    /// # Errors
    /// If the system makes no menu.
    pub fn new(app: &AppHandle) -> tauri::Result<Self> {
        Ok(Self {
            submenu: Submenu::new(app, "Accounts", false)?,
            shown: Mutex::default(),
        })
    }

    pub fn submenu(&self) -> &Submenu<Wry> {
        &self.submenu
    }

    fn show(&self, app: &AppHandle, accounts: Vec<(AccountId, String)>) -> tauri::Result<()> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown == accounts {
            return Ok(());
        }
        for item in self.submenu.items()? {
            self.submenu.remove(&item)?;
        }
        for (at, (id, text)) in accounts.iter().enumerate() {
            let key = (at < KEYS).then(|| format!("CmdOrCtrl+{}", at + 1));
            let item = MenuItem::with_id(app, format!("{ITEM}{id}"), text, true, key.as_deref())?;
            self.submenu.append(&item)?;
        }
        self.submenu.set_enabled(!accounts.is_empty())?;
        *shown = accounts;
        Ok(())
    }
}

/// Shows the accounts as the list has them now.
pub fn update(app: &AppHandle) {
    let handle = app.clone();
    let updated = app.run_on_main_thread(move || {
        let Some(menu) = handle.try_state::<AccountMenu>() else {
            return;
        };
        let Some(accounts) = handle.state::<AppAccounts>().opened() else {
            return;
        };
        let (_, list) = accounts.list();
        let workspaces = handle.state::<AppAccounts>().workspaces();
        let items = list
            .iter()
            .map(|account| (account.id, text(account, &workspaces)));
        if let Err(error) = menu.show(&handle, items.collect()) {
            tracing::error!(%error, "the menu of accounts could not be updated");
        }
    });
    if let Err(error) = updated {
        tracing::error!(%error, "the menu of accounts could not be updated");
    }
}

/// Switches the window that has the focus to the account of this item, if it is a window of the plugin.
pub fn on_event(app: &AppHandle, item: &str) {
    let id = item.strip_prefix(ITEM).and_then(|id| id.parse().ok());
    let locked = app.state::<LockedWindows>();
    let window = windows::focused(app).filter(|window| locked.require(window.label()).is_ok());
    let (Some(id), Some(window)) = (id, window) else {
        return;
    };
    let app = app.clone();
    // Opening an account reads files, for which the main thread must not wait.
    tauri::async_runtime::spawn_blocking(move || {
        let accounts = app.state::<AppAccounts>().get();
        let switched = accounts.and_then(|accounts| accounts.switch(window.label(), id));
        if let Err(error) = switched {
            tracing::error!(%error, "the menu could not switch a window to another account");
        }
    });
}

/// The name of an account, with that of its workspace where there are several: the same person, or one of
/// the same name, may be in two.
fn text(account: &AccountSummary, workspaces: &[WorkspaceSummary]) -> String {
    let mut text = match &account.owner {
        Some(owner) if owner.name != owner.email => format!("{} ({})", owner.name, owner.email),
        Some(owner) => owner.email.clone(),
        None => "Not signed in".to_owned(),
    };
    if workspaces.len() > 1 {
        let of = workspaces.iter().find(|it| it.id == account.workspace);
        let name = of.map_or(account.workspace.as_str(), |it| it.name.as_str());
        text = format!("{text} · {name}");
    }
    // One of them would mark a key.
    text.replace('&', "&&")
}
