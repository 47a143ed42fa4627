//! Several accounts in one app: which there are, which one each window shows, and what becomes of those
//! that no window shows.
//!
//! An account is one person's [`Session`] in one workspace, with its own records, keyring item, cookies
//! and schedule, so accounts share nothing that could be mixed up. Here they are listed ([`index`]),
//! found ([`folders`]), opened when they are shown or due, and closed when nothing would be lost by it.
//! So a start takes as long with fifty accounts as with one: an account that no window shows is a line in
//! the list, whose session is renewed before it would end unused ([`renewal`], [`upkeep`]).
//!
//! Every change of the list takes one path: persist, assign, publish (`Shared::change`).

mod folders;
mod index;
mod renewal;
mod summary;
mod upkeep;
mod windows;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use self::folders::Folders;
use self::index::{Entry, Index, IndexRecord, Owner, unwritten};
use self::windows::Windows;
use crate::clock::{Clock, SinceBoot, SystemClock};
use crate::error::{AuthError, ErrorCode};
use crate::folder_advice;
use crate::identity::AccountId;
use crate::session::{Session, WeakSession};
use crate::storage::records::{Durability, FolderRecords};
use crate::wire::{AccountStanding, AccountSummary, Cause, Phase, SessionChanged, SignedOutReason};

/// The workspace that the app itself names. Its first account is made where there is none.
pub const DEFAULT_WORKSPACE: &str = "default";
/// The window whose account is remembered across restarts: the app's first.
pub const FIRST_WINDOW: &str = "main";
/// The most accounts that an app can allow.
pub const MAX_ACCOUNTS: u32 = 50;

/// What accounts are opened with.
pub struct AccountsConfig {
    /// The folder of all workspaces.
    pub folder: PathBuf,
    /// Product and version, as in [`crate::session::Config`].
    pub product: String,
    /// How many accounts there may be, from 1 to [`MAX_ACCOUNTS`].
    pub most: u32,
    /// What opens sessions and loads pages anew.
    pub host: Arc<dyn AccountHost>,
}

/// Where an account's session is opened.
#[derive(Clone, Debug)]
pub struct AccountPlace {
    /// The account.
    pub id: AccountId,
    /// Its workspace.
    pub workspace: String,
    /// The folder of its records.
    pub folder: PathBuf,
}

/// What the app around the accounts does for them. No call may call back.
pub trait AccountHost: Send + Sync + 'static {
    /// Opens the session of an account. Called within a tokio runtime, while all accounts wait.
    ///
    /// # Errors
    /// If its workspace is not known or not set up, or its folder cannot be used.
    fn open(&self, place: &AccountPlace) -> Result<Session, AuthError>;

    /// The window shows another account from its next page on, or none: that page is to be loaded now.
    fn reload(&self, window: &str);

    /// A workspace was removed, and the last of its accounts is gone.
    fn workspace_left(&self, workspace: &str);
}

/// All accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<Shared>);

struct Shared {
    folders: Folders,
    record: IndexRecord,
    most: usize,
    host: Arc<dyn AccountHost>,
    clock: Arc<dyn Clock>,
    /// When the first account that no window shows may be opened: a start comes first.
    upkeep_from: SinceBoot,
    state: Mutex<State>,
    revision: watch::Sender<u64>,
    /// Notified when an account may have to be opened, closed or forgotten.
    wake: Notify,
}

struct State {
    index: Index,
    open: HashMap<AccountId, OpenAccount>,
    windows: Windows,
}

/// An account whose session was opened.
struct OpenAccount {
    /// Keeps the session open; `None` once nobody needs it.
    kept: Option<Session>,
    /// Finds the session while a command still uses it, so that it is not opened twice.
    session: WeakSession,
    standing: AccountStanding,
}

impl Accounts {
    /// Reads the list of accounts and begins to look after those that no window shows. Opens no
    /// session. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn open(config: AccountsConfig) -> Result<Self, AuthError> {
        Self::open_by(config, Arc::new(SystemClock))
    }

    /// The same with another clock.
    ///
    /// # Errors
    /// As [`Accounts::open`].
    pub(crate) fn open_by(
        config: AccountsConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuthError> {
        let records = FolderRecords::open(&config.folder)
            .map_err(|error| folder_advice::unusable_folder(&config.folder, &error))?;
        let folders = Folders::new(config.folder, config.product);
        let (record, read) = IndexRecord::open(Arc::new(records));
        let mut index = match read {
            Some(index) => index,
            None => Index::empty(crate::identity::InstallId::new()),
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
            most: config.most.clamp(1, MAX_ACCOUNTS) as usize,
            host: config.host,
            upkeep_from: clock.since_boot() + upkeep::FIRST_WAIT,
            clock,
            state: Mutex::new(State {
                index,
                open: HashMap::new(),
                windows: Windows::default(),
            }),
            revision: watch::Sender::new(0),
            wake: Notify::new(),
        });
        tokio::spawn(upkeep::run(Arc::downgrade(&shared)));
        Ok(Self(shared))
    }

    /// How often the list has changed. Each change is told; a slow reader skips to the newest.
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

    /// How many accounts there may be.
    pub fn most(&self) -> usize {
        self.0.most
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
    /// session begins to be restored now.
    ///
    /// # Errors
    /// If there is no such account. Why its session cannot be opened is told to the page.
    pub fn switch(&self, window: &str, id: AccountId) -> Result<(), AuthError> {
        if self.0.state().index.seen().all(|entry| entry.id != id) {
            return Err(ErrorCode::UnknownAccount.into());
        }
        let _ = self.0.open_account(id);
        self.0.await_page(window, Some(id));
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

    /// Adds an account and lets the window show it. An account of that workspace to which nobody has
    /// signed in, and which no other window shows, is taken in place of a new one.
    ///
    /// # Errors
    /// [`ErrorCode::TooManyAccounts`], or if the disk does not take it.
    pub fn add(&self, window: &str, workspace: &str) -> Result<AccountId, AuthError> {
        if let Some(id) = self.0.blank(window, workspace) {
            self.switch(window, id)?;
            return Ok(id);
        }
        let show = |windows: &mut Windows, id| windows.await_page(window, Some(id));
        let id = self.0.create(workspace, show)?;
        let _ = self.0.open_account(id);
        self.0.host.reload(window);
        Ok(id)
    }

    /// Whether the account stays in the list, with its owner, after a sign-out.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn remember(&self, id: AccountId, on: bool) -> Result<(), AuthError> {
        self.0.change(Durability::Synced, |index| {
            if let Some(entry) = index.of_mut(id) {
                entry.remembered = on;
            }
        })
    }

    /// Signs out of an account and forgets it. What the backend could not be told yet is told later; a
    /// restart does not bring the account back. Windows that show it show none from their next page on.
    ///
    /// # Errors
    /// If there is no such account, or the disk does not take it.
    pub fn remove(&self, id: AccountId) -> Result<(), AuthError> {
        if self.0.state().index.seen().all(|entry| entry.id != id) {
            return Err(ErrorCode::UnknownAccount.into());
        }
        self.0
            .change(Durability::Synced, |index| index.let_leave(id))?;
        self.0.close_windows_of(&[id]);
        Ok(())
    }

    /// Removes all accounts of a workspace. The host hears when the last one is gone.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn remove_workspace(&self, workspace: &str) -> Result<(), AuthError> {
        let of = self.0.change(Durability::Synced, |index| {
            index.leaving_workspaces.push(workspace.to_owned());
            let of = index.accounts.iter().filter(|it| it.workspace == workspace);
            let of: Vec<_> = of.map(|entry| entry.id).collect();
            of.iter().for_each(|id| index.let_leave(*id));
            of
        })?;
        self.0.close_windows_of(&of);
        Ok(())
    }

    /// Signs out of all accounts. Those that are remembered stay in the list.
    ///
    /// # Errors
    /// If one of them cannot be opened; the others are signed out all the same.
    pub async fn logout_all(&self) -> Result<(), AuthError> {
        let ids: Vec<_> = {
            let state = self.0.state();
            state.index.seen().map(|entry| entry.id).collect()
        };
        let mut first_error = None;
        for id in ids {
            match self.0.open_account(id) {
                Ok(session) => drop(session.logout().await),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        self.0.wake.notify_one();
        first_error.map_or(Ok(()), Err)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self) {
        self.revision.send_modify(|revision| *revision += 1);
        self.wake.notify_one();
    }

    /// Changes the list: on disk, then in memory, then for all subscribers. Does nothing where nothing
    /// changes.
    ///
    /// # Errors
    /// If the disk does not take it. Then nothing has changed.
    fn change<T>(
        &self,
        durability: Durability,
        change: impl FnOnce(&mut Index) -> T,
    ) -> Result<T, AuthError> {
        let mut state = self.state();
        let mut index = state.index.clone();
        let changed = change(&mut index);
        if index != state.index {
            let written = self.record.write(&index, durability);
            written.map_err(|error| unwritten(&error))?;
            state.index = index;
            drop(state);
            self.publish();
        }
        Ok(changed)
    }

    /// The same for what has happened anyhow: where the disk does not take it, the list on disk is an
    /// older one, which the accounts' folders correct.
    fn change_or_log(&self, durability: Durability, change: impl FnOnce(&mut Index)) {
        let mut state = self.state();
        let mut index = state.index.clone();
        change(&mut index);
        if index != state.index {
            let _ = self.record.write(&index, durability);
            state.index = index;
            drop(state);
            self.publish();
        }
    }

    fn of_window(&self, window: &str) -> Result<Option<AccountId>, AuthError> {
        let (shown, is_empty) = {
            let mut state = self.state();
            let State { index, windows, .. } = &mut *state;
            let shown = windows.attach(window, index)?;
            (shown, index.seen().next().is_none())
        };
        let shown = match shown {
            None if is_empty => {
                // The first account is there without being added.
                Some(self.create(DEFAULT_WORKSPACE, |windows, id| windows.show(window, id))?)
            }
            shown => shown,
        };
        if window == FIRST_WINDOW && shown.is_some() {
            self.change_or_log(Durability::Unsynced, |index| index.shown = shown);
        }
        Ok(shown)
    }

    /// The session of an account, which is opened if it is closed.
    fn open_account(self: &Arc<Self>, id: AccountId) -> Result<Session, AuthError> {
        let mut state = self.state();
        if let Some(open) = state.open.get_mut(&id)
            && let Some(session) = open.session.upgrade()
        {
            open.kept = Some(session.clone());
            return Ok(session);
        }
        let entry = state.index.of(id).ok_or(ErrorCode::UnknownAccount)?;
        let place = AccountPlace {
            id,
            workspace: entry.workspace.clone(),
            folder: self.folders.of(entry),
        };
        let session = self.host.open(&place).inspect_err(|error| {
            tracing::error!(%error, workspace = place.workspace, "an account stays closed");
        })?;
        let open = OpenAccount {
            kept: Some(session.clone()),
            session: session.downgrade(),
            standing: summary::standing(&session.snapshot().state),
        };
        state.open.insert(id, open);
        drop(state);
        self.follow(id, &session);
        Ok(session)
    }

    /// Keeps the list up to date with a session until it is closed.
    fn follow(self: &Arc<Self>, id: AccountId, session: &Session) {
        let shared = Arc::downgrade(self);
        let mut changes = session.subscribe();
        changes.mark_changed();
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                let change = changes.borrow_and_update().clone();
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                shared.note(id, &change);
            }
        });
    }

    /// Takes over into the list what has become of a session.
    fn note(&self, id: AccountId, change: &SessionChanged) {
        let standing = summary::standing(&change.state);
        let is_new = {
            let mut state = self.state();
            let open = state.open.get_mut(&id);
            open.is_some_and(|open| std::mem::replace(&mut open.standing, standing) != standing)
        };
        let mut replaced = None;
        let durability = match change.state.phase {
            // What a person does not want to be remembered must not come back after a crash.
            Phase::SignedOut { .. } => Durability::Synced,
            _ => Durability::Unsynced,
        };
        self.change_or_log(durability, |index| {
            if let Some(entry) = index.of_mut(id) {
                entry.note(&change.state.phase);
            }
            if matches!(
                change.cause,
                Cause::Login | Cause::Register | Cause::VerifyOtp
            ) {
                replaced = index.replace_same_person(id);
            }
        });
        if let Some(replaced) = replaced {
            let windows = self.state().windows.showing(&[replaced]);
            for window in windows {
                self.await_page(&window, Some(id));
            }
        }
        if is_new {
            self.publish();
        }
    }

    /// An account of the workspace to which nobody has signed in, that this window may take.
    fn blank(&self, window: &str, workspace: &str) -> Option<AccountId> {
        let state = self.state();
        let mut seen = state.index.seen();
        let found = seen.find(|entry| {
            entry.workspace == workspace
                && entry.over == Some(SignedOutReason::Never)
                && !state.windows.is_shown_elsewhere(entry.id, window)
        });
        found.map(|entry| entry.id)
    }

    /// Makes an account to which nobody has signed in. `show` lets a window show it in the same turn,
    /// because one that no window shows is forgotten.
    fn create(
        &self,
        workspace: &str,
        show: impl FnOnce(&mut Windows, AccountId),
    ) -> Result<AccountId, AuthError> {
        let mut state = self.state();
        if state.index.seen().count() >= self.most {
            return Err(ErrorCode::TooManyAccounts.into());
        }
        let mut index = state.index.clone();
        let mut of_workspace = index.accounts.iter().filter(|it| it.workspace == workspace);
        let at_root = of_workspace.all(|entry| !entry.at_root);
        let entry = Entry::blank(AccountId::new(), workspace, at_root);
        let id = entry.id;
        let made = self.folders.create(&entry, &index);
        made.map_err(|error| folder_advice::unusable_folder(&self.folders.of(&entry), &error))?;
        index.accounts.push(entry);
        self.record
            .write(&index, Durability::Synced)
            .map_err(|error| unwritten(&error))?;
        state.index = index;
        show(&mut state.windows, id);
        drop(state);
        self.publish();
        Ok(id)
    }

    /// The window shows `next` from its next page on, which is to be loaded.
    fn await_page(&self, window: &str, next: Option<AccountId>) {
        self.state().windows.await_page(window, next);
        self.publish();
        self.host.reload(window);
    }

    fn close_windows_of(&self, ids: &[AccountId]) {
        let windows = self.state().windows.showing(ids);
        for window in windows {
            self.await_page(&window, None);
        }
        self.wake.notify_one();
    }
}

impl Index {
    /// The account is not seen any more, and gone once its sign-out is delivered.
    fn let_leave(&mut self, id: AccountId) {
        self.shown = self.shown.filter(|shown| *shown != id);
        if let Some(entry) = self.of_mut(id) {
            entry.leaving = true;
            entry.owner = None;
        }
    }

    /// Somebody has signed in to the account `id` who has an account in that workspace already: the new
    /// session takes its place, and the one before leaves. Returns the account that does.
    fn replace_same_person(&mut self, id: AccountId) -> Option<AccountId> {
        let new = self.of(id)?.clone();
        let user = new.owner.as_ref()?.user.clone();
        let before = self.seen().find(|entry| {
            let same_user = entry.owner.as_ref().is_some_and(|owner| owner.user == user);
            entry.id != id && entry.workspace == new.workspace && same_user
        });
        let (before, remembered) = before.map(|entry| (entry.id, entry.remembered))?;
        self.let_leave(before);
        self.accounts.retain(|entry| entry.id != id);
        let at = self.accounts.iter().position(|entry| entry.id == before)?;
        let remembered = new.remembered || remembered;
        self.accounts.insert(at, Entry { remembered, ..new });
        Some(before)
    }
}

impl Entry {
    /// Takes over how the session stands.
    fn note(&mut self, phase: &Phase) {
        match phase {
            Phase::SignedIn {
                user, remembered, ..
            } => {
                self.owner = Some(Owner::of(user));
                // What the keyring does not hold is gone at the next start.
                self.over = (!remembered).then_some(SignedOutReason::Missing);
            }
            Phase::SignedOut { why } => {
                self.over = Some(*why);
                self.renewal = None;
                if self.is_blank() {
                    self.owner = None;
                }
            }
            Phase::Restoring { .. } | Phase::OtpPending { .. } => {}
        }
    }
}
