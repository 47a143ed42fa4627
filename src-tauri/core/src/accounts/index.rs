//! The list of accounts on disk: their order, whose they are, how they were last known to stand, and
//! which one the app's first window showed. It holds no secret, and nothing that the accounts' own
//! folders do not tell better: where it is lost it is made anew from them.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::renewal::Renewal;
use crate::error::{AuthError, ErrorCode};
use crate::identity::{AccountId, InstallId};
use crate::storage::numbered_records::NumberedRecords;
use crate::storage::records::{Durability, RecordStore};
use crate::wire::{AccountOwner, Phase, SignedOutReason, User};

const INDEX: &str = "accounts.json";
/// What a damaged index is renamed to.
const DAMAGED: &str = "accounts.json.damaged";

/// The list of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    /// The installation that all accounts belong to.
    pub install: InstallId,
    pub accounts: Vec<Entry>,
    /// The account that the app's first window showed last.
    #[serde(default)]
    pub shown: Option<AccountId>,
    /// Workspaces that were removed and whose accounts are not all gone yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving_workspaces: Vec<String>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub id: AccountId,
    pub workspace: String,
    /// Whether its records are in the workspace's own folder, as they were before there could be
    /// several accounts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_root: bool,
    /// Whose it is, as far as the list may say.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// Why the session is over. `None` as long as it may go on.
    #[serde(default)]
    pub over: Option<SignedOutReason>,
    /// Its session lasts until the app quits. Found at a start, it is opened once, which ends it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_quit: bool,
    /// The person wants it to stay in the list after a sign-out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remembered: bool,
    /// It was removed, and is gone as soon as the backend knows of its sign-out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaving: bool,
    /// When its session is to be renewed while no window shows it.
    #[serde(default)]
    pub renewal: Option<Renewal>,
}

/// The person of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    /// The backend's identifier, by which a second sign-in of the same person is recognised.
    pub user: String,
    pub name: String,
    pub email: String,
    pub image: Option<String>,
}

impl Index {
    /// No account of an installation.
    pub(super) fn empty(install: InstallId) -> Self {
        Self {
            install,
            accounts: Vec::new(),
            shown: None,
            leaving_workspaces: Vec::new(),
        }
    }

    pub(super) fn of(&self, id: AccountId) -> Option<&Entry> {
        self.accounts.iter().find(|entry| entry.id == id)
    }

    pub(super) fn of_mut(&mut self, id: AccountId) -> Option<&mut Entry> {
        self.accounts.iter_mut().find(|entry| entry.id == id)
    }

    /// The accounts that a person sees.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Entry> {
        self.accounts.iter().filter(|entry| !entry.leaving)
    }

    /// # Errors
    /// If a person sees no such account.
    pub(super) fn require_seen(&self, id: AccountId) -> Result<(), AuthError> {
        match self.seen().any(|entry| entry.id == id) {
            true => Ok(()),
            false => Err(ErrorCode::UnknownAccount.into()),
        }
    }

    pub(super) fn is_leaving(&self, workspace: &str) -> bool {
        self.leaving_workspaces.iter().any(|it| it == workspace)
    }

    /// The account is not seen any more, and gone once its sign-out is delivered.
    pub(super) fn let_leave(&mut self, id: AccountId) {
        self.shown = self.shown.filter(|shown| *shown != id);
        if let Some(entry) = self.of_mut(id) {
            entry.leaving = true;
            entry.renewal = None;
            entry.remembered = false;
            entry.owner = None;
        }
    }

    /// The backend has confirmed the person of the account `id`. If they had an account in that
    /// workspace before, this one takes its place, and that one leaves. Returns the one that does.
    pub(super) fn replace_same_person(&mut self, id: AccountId) -> Option<AccountId> {
        let new = self.seen().find(|entry| entry.id == id)?.clone();
        let user = new.owner.as_ref()?.user.clone();
        let before = self.seen().find(|entry| {
            let same_user = entry.owner.as_ref().is_some_and(|owner| owner.user == user);
            entry.id != id && entry.workspace == new.workspace && same_user
        });
        let (before, remembered) = before.map(|entry| (entry.id, entry.remembered))?;
        let was_shown = self.shown == Some(before);
        self.let_leave(before);
        self.shown = self.shown.or(was_shown.then_some(id));
        self.accounts.retain(|entry| entry.id != id);
        let at = self.accounts.iter().position(|entry| entry.id == before)?;
        let remembered = new.remembered || remembered;
        self.accounts.insert(at, Entry { remembered, ..new });
        Some(before)
    }
}

impl Entry {
    /// An account to which nobody has signed in.
    pub(super) fn blank(id: AccountId, workspace: &str, at_root: bool) -> Self {
        Self {
            id,
            workspace: workspace.to_owned(),
            at_root,
            owner: None,
            over: Some(SignedOutReason::Never),
            until_quit: false,
            remembered: false,
            leaving: false,
            renewal: None,
        }
    }

    /// Whether the account has nothing that a person would want to keep: nobody has signed in, or its
    /// person has signed out and did not ask to stay in the list.
    pub(super) fn is_blank(&self) -> bool {
        let by_will = matches!(
            self.over,
            Some(SignedOutReason::Never | SignedOutReason::ByUser)
        );
        by_will && !(self.remembered && self.owner.is_some())
    }

    /// Forgets the owner of an account that is blank.
    pub(super) fn forget_unremembered(&mut self) {
        if self.is_blank() {
            self.owner = None;
        }
    }

    /// Takes over how the session stands.
    pub(super) fn note(&mut self, phase: &Phase) {
        match phase {
            Phase::SignedIn {
                user, remembered, ..
            } => {
                if !self.leaving {
                    self.set_owner(Owner::of(user));
                }
                self.over = None;
                self.until_quit = !remembered;
            }
            Phase::SignedOut { why } => {
                self.over = Some(*why);
                self.until_quit = false;
                self.renewal = None;
                self.forget_unremembered();
            }
            Phase::Restoring { .. } | Phase::OtpPending { .. } | Phase::BrowserPending { .. } => {}
        }
    }

    fn set_owner(&mut self, owner: Owner) {
        let before = self.owner.replace(owner);
        // That the account stays in the list was the wish of the person before.
        let is_another =
            |before: Owner| self.owner.as_ref().is_some_and(|it| it.user != before.user);
        self.remembered &= !before.is_some_and(is_another);
    }
}

impl Owner {
    pub(super) fn of(user: &User) -> Self {
        Self {
            user: user.id.clone(),
            name: user.name.clone(),
            email: user.email.clone(),
            image: user.image.clone(),
        }
    }

    pub(super) fn view(&self) -> AccountOwner {
        AccountOwner {
            name: self.name.clone(),
            email: self.email.clone(),
            image: self.image.clone(),
        }
    }
}

/// Where the index is.
pub(super) struct IndexRecord {
    records: NumberedRecords,
    /// A newer version has written it, or it cannot be read now: it must not be overwritten.
    is_foreign: bool,
}

impl IndexRecord {
    /// Reads the index; `None` where there is none that this version can use.
    pub(super) fn open(store: Arc<dyn RecordStore>) -> (Self, Option<Index>) {
        let records = NumberedRecords::new(store);
        let read = records.read_or_put_aside(INDEX);
        let is_foreign = read.is_err();
        let index = read.unwrap_or_else(|error: io::Error| {
            tracing::warn!(
                kind = %error.kind(),
                "the list of accounts cannot be read: it is made anew from the accounts' folders, \
                 and left as it is on disk"
            );
            None
        });
        let record = Self {
            records,
            is_foreign,
        };
        (record, index)
    }

    /// Removes a damaged index that was kept: it names people who may want to be forgotten.
    pub(super) fn remove_damaged(&self) {
        if let Err(error) = self.records.store().remove(DAMAGED) {
            tracing::warn!(
                kind = %error.kind(),
                "a damaged list of accounts cannot be removed: it may name people who were removed"
            );
        }
    }

    /// Whether the list on disk is another than the one in use, so that this one does not know all.
    pub(super) fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// Writes the index.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub(super) fn write(&self, index: &Index, durability: Durability) -> io::Result<()> {
        if self.is_foreign {
            return Ok(());
        }
        self.records
            .write(INDEX, index, durability)
            .inspect_err(|error| {
                tracing::error!(
                    kind = %error.kind(),
                    "the list of accounts cannot be written: after a restart it may be an older one"
                );
            })
    }
}

/// The error of a change that the disk does not take.
pub(super) fn unwritten(error: &io::Error) -> AuthError {
    let words = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "The disk is full, so the list of accounts could not be changed. Make room, then try \
             again."
        }
        _ => {
            "The list of accounts could not be written. Check that this app may write to its \
             folder, then try again."
        }
    };
    AuthError::with_message(ErrorCode::Internal, words)
}
