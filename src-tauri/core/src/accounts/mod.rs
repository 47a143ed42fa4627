//! Several accounts in one app: which there are, which one each window shows, and what becomes of those
//! that no window shows.
//!
//! An account is one person's [`Session`] in one workspace, with its own records, keyring item, cookies
//! and schedule, so accounts share nothing that could be mixed up. Here they are listed (`index`),
//! found (`folders`), opened when they are shown or due, and closed when nothing would be lost by it.
//! So a start takes as long with fifty accounts as with one: an account that no window shows is a line in
//! the list, whose session is renewed before it would end unused (`renewal`, `upkeep`).
//!
//! Every change of the list takes one path: persist, assign, publish (`Shared::change` in `shared`).

mod folders;
#[cfg(any(test, feature = "testing"))]
mod for_tests;
mod index;
mod others;
mod renewal;
mod shared;
mod summary;
mod upkeep;
mod windows;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::sync::watch;

use self::folders::Folders;
use self::index::{Index, IndexRecord};
use self::others::EndingTogether;
use self::shared::{Shared, State};
use self::windows::Windows;
use crate::clock::{Clock, SystemClock};
use crate::error::{AuthError, ErrorCode};
use crate::folder_advice;
use crate::identity::{AccountId, InstallId};
use crate::session::{OtherAccounts, Session};
use crate::storage::records::{Durability, FolderRecords};
use crate::wire::AccountSummary;

/// The window whose account is remembered across restarts: the app's first.
pub const FIRST_WINDOW: &str = "main";

/// What accounts are opened with.
pub struct AccountsConfig {
    /// The folder of all workspaces.
    pub folder: PathBuf,
    /// Product and version, as in [`crate::session::Config`].
    pub product: String,
    /// How many accounts there may be, at least one.
    pub most: u32,
    /// What opens sessions and loads pages anew.
    pub host: Arc<dyn AccountHost>,
}

/// Where an account's session is opened.
#[derive(Clone)]
pub struct AccountPlace {
    /// The account.
    pub id: AccountId,
    /// Its workspace.
    pub workspace: String,
    /// The folder of its records.
    pub folder: PathBuf,
    /// The other accounts, for [`crate::session::Config`].
    pub others: Arc<dyn OtherAccounts>,
}

/// What the app around the accounts does for them. No call may call back.
pub trait AccountHost: Send + Sync + 'static {
    /// Opens the session of an account. Called within a tokio runtime, while all accounts wait.
    ///
    /// # Errors
    /// If its workspace is not known or not set up, or its folder cannot be used.
    fn open(&self, place: &AccountPlace) -> Result<Session, AuthError>;

    /// The window shows another account from its next page on, or none: that page is to be loaded now.
    /// `requested` is to be called in the turn in which it is requested. A page that begins before that
    /// is one that the page before has loaded.
    fn reload(&self, window: &str, requested: Box<dyn FnOnce() + Send>);

    /// A workspace was removed, and the last of its accounts is gone.
    ///
    /// # Errors
    /// If the workspace is still there: it is tried again.
    fn workspace_left(&self, workspace: &str) -> Result<(), AuthError>;
}

/// All accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<Shared>);

impl Accounts {
    /// Reads the list of accounts and begins to look after those that no window shows. Opens no
    /// session. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn open(config: AccountsConfig) -> Result<Self, AuthError> {
        Self::open_by(config, Arc::new(SystemClock))
    }

    fn open_by(config: AccountsConfig, clock: Arc<dyn Clock>) -> Result<Self, AuthError> {
        let records = FolderRecords::open(&config.folder)
            .map_err(|error| folder_advice::unusable_folder(&config.folder, &error))?;
        let folders = Folders::new(config.folder, config.product);
        let (record, read) = IndexRecord::open(Arc::new(records));
        let mut index = match read {
            Some(index) => index,
            None => Index::empty(InstallId::new()),
        };
        let before = index.clone();
        folders.add_unknown(&mut index);
        folders.check(&mut index);
        if index != before {
            // An index that is not written is made anew at the next start.
            let _ = record.write(&index, Durability::Unsynced);
        }
        let shared = Arc::new(Shared {
            folders,
            record,
            most: config.most.max(1) as usize,
            host: config.host,
            runtime: Handle::current(),
            upkeep_from: clock.since_boot() + upkeep::FIRST_WAIT,
            clock,
            state: Mutex::new(State {
                index,
                open: HashMap::new(),
                windows: Windows::default(),
                ending: Vec::new(),
            }),
            revision: watch::Sender::new(0),
            wake: Arc::default(),
        });
        tokio::spawn(upkeep::run(Arc::downgrade(&shared)));
        Ok(Self(shared))
    }

    /// The list's revision, which grows with each change. A reader that is slow skips to the newest.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.revision.subscribe()
    }

    /// The list's revision and the accounts in their order. Never waits, opens nothing.
    pub fn list(&self) -> (u64, Vec<AccountSummary>) {
        let state = self.0.state();
        let revision = *self.0.revision.borrow();
        let seen = state.index.seen();
        let summary = |entry| summary::of(entry, state.open.get(&entry.id));
        (revision, seen.map(summary).collect())
    }

    /// The workspaces that were removed and are not to be shown any more.
    pub fn leaving_workspaces(&self) -> Vec<String> {
        self.0.state().index.leaving_workspaces.clone()
    }

    /// The account that a window shows; `None` where none is chosen.
    ///
    /// # Errors
    /// If the window waits for the page of another account, or the first account cannot be made.
    pub fn of_window(&self, window: &str) -> Result<Option<AccountId>, AuthError> {
        self.0.of_window(window)
    }

    /// Whether a window shows this account now. One that is gone shows none.
    pub fn is_shown_in(&self, window: &str, id: AccountId) -> bool {
        self.0.state().windows.shows(window) == Some(id)
    }

    /// The session of the account that a window shows. It is opened if it is closed.
    ///
    /// # Errors
    /// [`ErrorCode::NoAccount`] if it shows none; otherwise why the session cannot be opened.
    pub fn session(&self, window: &str) -> Result<(AccountId, Session), AuthError> {
        let id = self.0.of_window(window)?.ok_or(ErrorCode::NoAccount)?;
        Ok((id, self.0.open_account(id)?))
    }

    /// A new window shows what the window `like` shows.
    pub fn open_like(&self, window: &str, like: &str) {
        let mut state = self.0.state();
        if let Some(id) = state.windows.shows(like) {
            state.windows.show(window, id);
        }
    }

    /// Lets a window show another account from its next page on, which the host is asked to load. The
    /// session begins to be restored now. Does nothing where the window shows it already.
    ///
    /// # Errors
    /// If there is no such account. If its session cannot be opened, this succeeds, and the account's page
    /// gets the reason when it asks for the session.
    pub fn switch(&self, window: &str, id: AccountId) -> Result<(), AuthError> {
        {
            let mut state = self.0.state();
            state.index.require_seen(id)?;
            if state.windows.shows(window) == Some(id) {
                return Ok(());
            }
            state.windows.await_page(window, Some(id));
        }
        self.0.begin_page(window, id);
        Ok(())
    }

    /// The page of a window has begun: it is that of the account to which the window was switched.
    pub fn page_began(&self, window: &str) {
        let arrived = self.0.state().windows.page_began(window);
        if arrived {
            self.0.publish();
        }
    }

    /// A window is gone.
    pub fn window_closed(&self, window: &str) {
        self.0.state().windows.closed(window);
        self.0.wake.notify_one();
    }

    /// Checks that one more account is allowed for this window. One that it would leave behind blank
    /// does not count.
    ///
    /// # Errors
    /// [`ErrorCode::TooManyAccounts`].
    pub fn check_room(&self, window: &str) -> Result<(), AuthError> {
        self.0.check_room(&self.0.state(), window)
    }

    /// Adds an account and lets the window show it. An account of that workspace to which nobody has
    /// signed in, and which no other window shows, is taken in place of a new one.
    ///
    /// # Errors
    /// [`ErrorCode::TooManyAccounts`], or if the disk does not take it.
    pub fn add(&self, window: &str, workspace: &str) -> Result<AccountId, AuthError> {
        let id = {
            let mut state = self.0.state();
            let id = match state.blank(window, workspace) {
                Some(id) => id,
                None => self.0.create(&mut state, window, workspace)?,
            };
            state.windows.await_page(window, Some(id));
            id
        };
        self.0.begin_page(window, id);
        Ok(id)
    }

    /// Whether the account stays in the list, with its owner, after a sign-out.
    ///
    /// # Errors
    /// If there is no such account, or the disk does not take it.
    pub fn remember(&self, id: AccountId, on: bool) -> Result<(), AuthError> {
        let mut state = self.0.state();
        state.index.require_seen(id)?;
        let change = |index: &mut Index| {
            if let Some(entry) = index.of_mut(id) {
                entry.remembered = on;
                entry.forget_unremembered();
            }
        };
        self.0.change(&mut state, Durability::Synced, change)
    }

    /// Signs out of an account and forgets it. What the backend could not be told yet is told later; a
    /// restart does not bring the account back. Windows that show it show none from their next page on.
    ///
    /// # Errors
    /// If there is no such account, or the disk does not take it.
    pub fn remove(&self, id: AccountId) -> Result<(), AuthError> {
        let state = self.0.state();
        state.index.require_seen(id)?;
        self.0.let_leave(state, &[id], None)
    }

    /// Removes all accounts of a workspace. The host hears when the last one is gone.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn remove_workspace(&self, workspace: &str) -> Result<(), AuthError> {
        let state = self.0.state();
        let of = state.index.seen().filter(|it| it.workspace == workspace);
        let of: Vec<_> = of.map(|entry| entry.id).collect();
        self.0.let_leave(state, &of, Some(workspace))
    }

    /// Signs out of all accounts. Those that are remembered stay in the list.
    ///
    /// # Errors
    /// If one of them cannot be opened; the others are signed out all the same.
    pub async fn logout_all(&self) -> Result<(), AuthError> {
        let ids: Vec<_> = {
            let state = self.0.state();
            let seen = state.index.seen();
            let some = seen.filter(|entry| entry.over.is_none() || state.is_open(entry.id));
            some.map(|entry| entry.id).collect()
        };
        let _ending = EndingTogether::begin(&self.0, &ids);
        let mut first_error = None;
        for id in ids.iter().copied() {
            match self.0.open_account(id) {
                Ok(session) => drop(session.logout().await),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        self.0.wake.notify_one();
        first_error.map_or(Ok(()), Err)
    }
}
