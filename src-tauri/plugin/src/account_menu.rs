//! The accounts in the app's menu, each with a key: Ctrl or Cmd and 1 to 9. An item switches the window that
//! has the focus.

use std::sync::{Mutex, PoisonError};

use tauri::menu::{MenuItem, Submenu};
use tauri::{AppHandle, Manager as _, Wry};
use vestibule_core::wire::AccountSummary;
use vestibule_core::{AccountId, AuthError};

use crate::accounts::AppAccounts;
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
        let items = list.iter().map(|account| (account.id, text(account)));
        if let Err(error) = menu.show(&handle, items.collect()) {
            tracing::error!(%error, "the menu of accounts could not be updated");
        }
    });
    if let Err(error) = updated {
        tracing::error!(%error, "the menu of accounts could not be updated");
    }
}

/// Switches the window that has the focus to the account of this item.
///
/// # Errors
/// If there is no such account any more.
pub fn on_event(app: &AppHandle, item: &str) -> Result<(), AuthError> {
    let id = item.strip_prefix(ITEM).and_then(|id| id.parse().ok());
    if let Some(id) = id
        && let Some(window) = windows::focused(app)
    {
        app.state::<AppAccounts>()
            .get()?
            .switch(window.label(), id)?;
    }
    Ok(())
}

fn text(account: &AccountSummary) -> String {
    let text = match &account.owner {
        Some(owner) if owner.name != owner.email => format!("{} ({})", owner.name, owner.email),
        Some(owner) => owner.email.clone(),
        None => "Not signed in".to_owned(),
    };
    // One of them would mark a key.
    text.replace('&', "&&")
}
