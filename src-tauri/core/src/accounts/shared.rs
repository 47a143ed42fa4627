//! What all accounts share: the list, the sessions that are open and the windows, behind one lock, and the
//! changes that are made to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use super::folders::Folders;
use super::index::{Entry, Index, IndexRecord, unwritten};
use super::others::Others;
use super::windows::Windows;
use super::{AccountHost, AccountPlace, FIRST_WINDOW, summary};
use crate::clock::{Clock, SinceBoot};
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::failpoint;
use crate::folder_advice;
use crate::identity::AccountId;
use crate::profile::DEFAULT_WORKSPACE;
use crate::session::{Session, WeakSession};
use crate::storage::records::Durability;
use crate::wire::{AccountStanding, Freshness, Phase, SessionChanged, SignedOutReason};

pub(super) struct Shared {
    pub folders: Folders,
    pub record: IndexRecord,
    pub most: usize,
    pub host: Arc<dyn AccountHost>,
    pub clock: Arc<dyn Clock>,
    /// Sessions are opened in it, whatever thread asks.
    pub runtime: Handle,
    /// When the first account that no window shows may be opened: a start comes first.
    pub upkeep_from: SinceBoot,
    pub state: Mutex<State>,
    pub revision: watch::Sender<u64>,
    /// Notified when an account may have to be opened, closed or forgotten.
    pub wake: Arc<Notify>,
}

pub(super) struct State {
    pub index: Index,
    pub open: HashMap<AccountId, OpenAccount>,
    pub windows: Windows,
    /// The accounts that are being signed out of together.
    pub ending: Vec<AccountId>,
}

/// An account whose session was opened.
pub(super) struct OpenAccount {
    /// Holds the session open; `None` once nobody needs it.
    pub held: Option<Session>,
    /// Finds the session while a command still uses it, so that it is not opened twice.
    pub session: WeakSession,
    pub standing: AccountStanding,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn publish(&self) {
        self.revision.send_modify(|revision| *revision += 1);
        self.wake.notify_one();
    }

    /// Changes the list: on disk, then in memory, then for all subscribers. Does nothing where nothing
    /// changes.
    ///
    /// # Errors
    /// If the disk does not take it. Then nothing has changed.
    pub(super) fn change<T>(
        &self,
        state: &mut State,
        durability: Durability,
        change: impl FnOnce(&mut Index) -> T,
    ) -> Result<T, AuthError> {
        let mut index = state.index.clone();
        let changed = change(&mut index);
        if index != state.index {
            let written = self.record.write(&index, durability);
            written.map_err(|error| unwritten(&error))?;
            state.index = index;
            self.publish();
        }
        Ok(changed)
    }

    /// The same for what has happened anyhow: where the disk does not take it, the list on disk is an
    /// older one, which the accounts' folders correct.
    pub(super) fn change_or_log<T>(
        &self,
        state: &mut State,
        durability: Durability,
        change: impl FnOnce(&mut Index) -> T,
    ) -> T {
        let mut index = state.index.clone();
        let changed = change(&mut index);
        if index != state.index {
            let _ = self.record.write(&index, durability);
            state.index = index;
            self.publish();
        }
        changed
    }

    pub(super) fn of_window(&self, window: &str) -> Result<Option<AccountId>, AuthError> {
        let mut state = self.state();
        let State { index, windows, .. } = &mut *state;
        let mut shown = windows.attach(window, index)?;
        if shown.is_none() && index.seen().next().is_none() {
            // The first account is there without being added.
            let id = self.create(&mut state, window, DEFAULT_WORKSPACE)?;
            state.windows.show(window, id);
            shown = Some(id);
        }
        if window == FIRST_WINDOW && shown.is_some() {
            let change = |index: &mut Index| index.shown = shown;
            self.change_or_log(&mut state, Durability::Unsynced, change);
            failpoint!("accounts.shown");
        }
        Ok(shown)
    }

    /// The session of an account, which is opened if it is closed.
    pub(super) fn open_account(self: &Arc<Self>, id: AccountId) -> Result<Session, AuthError> {
        let mut state = self.state();
        if let Some(open) = state.open.get_mut(&id)
            && let Some(session) = open.session.upgrade()
        {
            open.held = Some(session.clone());
            return Ok(session);
        }
        let entry = state.index.of(id).ok_or(ErrorCode::UnknownAccount)?;
        let place = AccountPlace {
            id,
            workspace: entry.workspace.clone(),
            folder: self.folders.of(entry),
            others: Arc::new(Others::new(Arc::downgrade(self), id)),
        };
        // A menu asks on a thread that is in no runtime.
        let _entered = self.runtime.enter();
        let session = self.host.open(&place).inspect_err(|error| {
            tracing::error!(%error, workspace = place.workspace, "an account stays closed");
        })?;
        let open = OpenAccount {
            held: Some(session.clone()),
            session: session.downgrade(),
            standing: summary::standing(&session.snapshot().state),
        };
        state.open.insert(id, open);
        drop(state);
        self.note_changes(id, &session);
        Ok(session)
    }

    /// Keeps the list up to date with a session until it is closed.
    pub(super) fn note_changes(self: &Arc<Self>, id: AccountId, session: &Session) {
        let shared = Arc::downgrade(self);
        let of = session.downgrade();
        let (mut changes, mut rests) = (session.subscribe(), session.subscribe_rests());
        let wake = self.wake.clone();
        changes.mark_changed();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    changed = changes.changed() => {
                        let (Ok(()), Some(shared)) = (changed, shared.upgrade()) else {
                            break;
                        };
                        let change = changes.borrow_and_update().clone();
                        shared.note(id, &of, &change);
                    }
                    rested = rests.changed() => match rested {
                        // The session may be closed now.
                        Ok(()) => wake.notify_one(),
                        Err(_) => break,
                    },
                }
            }
            // Nobody uses it any more: the account may be forgotten now.
            wake.notify_one();
        });
    }

    /// Takes over into the list what has become of a session, unless the account was closed and opened
    /// again meanwhile.
    pub(super) fn note(self: &Arc<Self>, id: AccountId, of: &WeakSession, change: &SessionChanged) {
        failpoint!("accounts.noting");
        let mut state = self.state();
        let open = state.open.get_mut(&id);
        let Some(open) = open.filter(|open| open.session.is_same(of)) else {
            return;
        };
        let standing = summary::standing(&change.state);
        if std::mem::replace(&mut open.standing, standing) != standing {
            self.publish();
        }
        let phase = &change.state.phase;
        let durability = match phase {
            // What a person does not want to be remembered must not come back after a crash.
            Phase::SignedOut { .. } => Durability::Synced,
            _ => Durability::Unsynced,
        };
        let replaced = self.change_or_log(&mut state, durability, |index| {
            index.of_mut(id)?.note(phase);
            match phase {
                Phase::SignedIn {
                    freshness: Freshness::Fresh,
                    ..
                } => index.replace_same_person(id),
                _ => None,
            }
        });
        let Some(replaced) = replaced else { return };
        let windows = state.windows.await_pages_of(&[replaced], Some(id));
        drop(state);
        self.reload(&windows);
    }

    pub(super) fn check_room(&self, state: &State, window: &str) -> Result<(), AuthError> {
        let left_blank = |entry: &&Entry| {
            entry.is_blank()
                && state.windows.shows(window) == Some(entry.id)
                && !state.windows.is_shown_elsewhere(entry.id, window)
        };
        let stay = state.index.seen().filter(|entry| !left_blank(entry));
        match stay.count() < self.most {
            true => Ok(()),
            false => Err(ErrorCode::TooManyAccounts.into()),
        }
    }

    /// Makes an account to which nobody has signed in, for this window.
    pub(super) fn create(
        &self,
        state: &mut State,
        window: &str,
        workspace: &str,
    ) -> Result<AccountId, AuthError> {
        self.check_room(state, window)?;
        if state.index.is_leaving(workspace) {
            return Err(ErrorCode::UnknownWorkspace.into());
        }
        let entry = self.folders.create(workspace, &state.index);
        let entry =
            entry.map_err(|(folder, error)| folder_advice::unusable_folder(&folder, &error))?;
        failpoint!("accounts.folder_made");
        let (id, made) = (entry.id, entry.clone());
        let listed = self.change(state, Durability::Synced, |index| {
            index.accounts.push(entry)
        });
        if listed.is_err() {
            self.folders.take_back(&made);
        }
        failpoint!("accounts.listed");
        listed.map(|()| id)
    }

    /// The accounts are not seen from here on, and leave; so does the workspace, if one is given.
    pub(super) fn let_leave(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        ids: &[AccountId],
        workspace: Option<&str>,
    ) -> Result<(), AuthError> {
        self.change(&mut state, Durability::Synced, |index| {
            ids.iter().for_each(|id| index.let_leave(*id));
            let leaving = workspace.filter(|workspace| !index.is_leaving(workspace));
            index.leaving_workspaces.extend(leaving.map(str::to_owned));
        })?;
        failpoint!("accounts.leaving");
        let windows = state.windows.await_pages_of(ids, None);
        drop(state);
        self.reload(&windows);
        Ok(())
    }

    /// The window waits for the page of this account, whose session begins to be restored.
    pub(super) fn begin_page(self: &Arc<Self>, window: &str, id: AccountId) {
        // An error is not lost: the page opens the account again, and gets the error then.
        let _ = self.open_account(id);
        self.reload(&[window.to_owned()]);
    }

    /// Lets the host load the pages for which these windows wait.
    pub(super) fn reload(self: &Arc<Self>, windows: &[String]) {
        self.publish();
        for window in windows {
            let (shared, label) = (Arc::downgrade(self), window.clone());
            let requested = move || {
                if let Some(shared) = shared.upgrade() {
                    shared.state().windows.page_requested(&label);
                }
            };
            self.host.reload(window, Box::new(requested));
        }
    }
}

impl State {
    /// An account of the workspace to which nobody has signed in, that this window may take.
    pub(super) fn blank(&self, window: &str, workspace: &str) -> Option<AccountId> {
        let mut seen = self.index.seen();
        // The list may not know yet who has just signed in, or was asked for a code.
        let is_in_use = |id| {
            let session = self.open.get(&id).and_then(|open| open.session.upgrade());
            let phase = session.map(|session| session.snapshot().state.phase);
            matches!(
                phase,
                Some(
                    Phase::SignedIn { .. }
                        | Phase::OtpPending { .. }
                        | Phase::BrowserPending { .. }
                )
            )
        };
        let found = seen.find(|entry| {
            entry.workspace == workspace
                && entry.over == Some(SignedOutReason::Never)
                && !self.windows.is_shown_elsewhere(entry.id, window)
                && !is_in_use(entry.id)
        });
        found.map(|entry| entry.id)
    }
}
