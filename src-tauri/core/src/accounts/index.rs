//! The list of accounts on disk: their order, whose they are, how they were last known to stand, and
//! which one the app's first window showed. It holds no secret, and nothing that the accounts' own
//! folders do not tell better: where it is lost it is made anew from them.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::renewal::Renewal;
use crate::identity::{AccountId, InstallId};
use crate::storage::numbered_records::NumberedRecords;
use crate::storage::records::{Durability, RecordStore};
use crate::wire::{AccountOwner, SignedOutReason, User};

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
    /// Why nobody is signed in; `None` where somebody may be.
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

    /// Whether nothing is left that a person would want to keep: nobody is signed in, of their own
    /// will, and they did not ask to stay in the list.
    pub(super) fn is_blank(&self) -> bool {
        let by_will = matches!(
            self.over,
            Some(SignedOutReason::Never | SignedOutReason::ByUser)
        );
        by_will && !(self.remembered && self.owner.is_some())
    }

    /// Forgets whose the account was, if nobody is signed in of their own will and they did not ask to
    /// be remembered.
    pub(super) fn forget_unremembered(&mut self) {
        if self.is_blank() {
            self.owner = None;
        }
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
pub(super) fn unwritten(error: &io::Error) -> crate::error::AuthError {
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
    crate::error::AuthError::with_message(crate::error::ErrorCode::Internal, words)
}
