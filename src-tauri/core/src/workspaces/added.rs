//! The workspaces that a person has added, on disk: `added.json` in the folder of all workspaces.
//!
//! It holds addresses and nothing else. A workspace's id, which is the name of its folder, is made from
//! its address. So the same address is the same workspace, whoever added it and when; what was damaged
//! or lost is back, with the accounts in its folder, once the address is added again; and nothing that
//! is written into the file can name another folder.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::address::{self, Address};
use crate::error::{AuthError, ErrorCode};
use crate::profile::ADDED_PREFIX;
use crate::storage::numbered_records::NumberedRecords;
use crate::storage::records::{Durability, RecordStore};

const RECORD: &str = "added.json";
/// The most workspaces that can be added.
pub(super) const MOST: usize = 50;
/// How many bytes of an address's hash are in its id.
const ID_BYTES: usize = 16;

/// What the record holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
struct List(Vec<Address>);

/// The list as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    workspaces: Vec<WrittenWorkspace>,
}

#[derive(Serialize, Deserialize)]
struct WrittenWorkspace {
    address: String,
}

/// The workspaces that were added, in their order.
pub(super) struct Added {
    records: NumberedRecords,
    /// What the record holds; `None` while it cannot be read.
    known: Mutex<Option<List>>,
}

impl Added {
    /// The list in this folder, which is read at the first use.
    pub(super) fn new(store: Arc<dyn RecordStore>) -> Self {
        Self {
            records: NumberedRecords::new(store),
            known: Mutex::default(),
        }
    }

    /// All of them; none while the record cannot be read.
    pub(super) fn all(&self) -> Vec<Address> {
        let mut known = self.lock();
        if known.is_none() {
            *known = self.read().ok();
        }
        known.clone().unwrap_or_default().0
    }

    /// Adds one at the end, unless it is there.
    ///
    /// # Errors
    /// If there are too many, or the record cannot be read or written. The list then stays as it was.
    pub(super) fn add(&self, address: Address) -> Result<(), AuthError> {
        self.change(|all| {
            if all.contains(&address) {
                return Ok(());
            }
            if all.len() >= MOST {
                let words = format!(
                    "There are {MOST} workspaces, which is as many as this app keeps. Remove one to \
                     add another."
                );
                return Err(AuthError::with_message(ErrorCode::TooLarge, words));
            }
            all.push(address);
            Ok(())
        })
    }

    /// Removes the one with this id.
    ///
    /// # Errors
    /// If there is none, or the record cannot be read or written. The list then stays as it was.
    pub(super) fn remove(&self, id: &str) -> Result<(), AuthError> {
        self.change(|all| {
            let before = all.len();
            all.retain(|address| id_of(address) != id);
            match all.len() < before {
                true => Ok(()),
                false => Err(ErrorCode::UnknownWorkspace.into()),
            }
        })
    }

    /// Persists a change, then assigns it. The record is read again before, because a file that cannot
    /// be read must not be written over.
    fn change(
        &self,
        change: impl FnOnce(&mut Vec<Address>) -> Result<(), AuthError>,
    ) -> Result<(), AuthError> {
        let mut known = self.lock();
        let before = self.read().map_err(|error| unreadable(&error))?;
        let mut all = before.clone();
        change(&mut all.0)?;
        if all != before {
            self.write(&all).map_err(|error| unwritten(&error))?;
        }
        *known = Some(all);
        Ok(())
    }

    /// The list; empty where there is none, or a damaged one, which is set aside. The accounts in the
    /// workspaces of a damaged list stay on disk, and are back once their address is added again.
    fn read(&self) -> io::Result<List> {
        let read = self.records.read_or_put_aside(RECORD);
        let read = read.inspect_err(|error| {
            tracing::warn!(
                kind = %error.kind(),
                "the list of added workspaces cannot be read: they are not shown until it can"
            );
        });
        Ok(read?.unwrap_or_default())
    }

    fn write(&self, all: &List) -> io::Result<()> {
        self.records.write(RECORD, all, Durability::Synced)
    }

    fn lock(&self) -> MutexGuard<'_, Option<List>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each address has to be one that this app could have written.
impl TryFrom<Written> for List {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, &'static str> {
        if written.workspaces.len() > MOST {
            return Err("holds more workspaces than can be added");
        }
        let mut all = Vec::with_capacity(written.workspaces.len());
        for WrittenWorkspace { address: text } in written.workspaces {
            let address = address::parse(&text).map_err(|_| "holds what is no address")?;
            if address.origin() != text || all.contains(&address) {
                return Err("holds an address twice or in another spelling");
            }
            all.push(address);
        }
        Ok(Self(all))
    }
}

impl From<List> for Written {
    fn from(List(all): List) -> Self {
        let workspaces = all.iter().map(|address| WrittenWorkspace {
            address: address.origin(),
        });
        Self {
            workspaces: workspaces.collect(),
        }
    }
}

/// The id of the workspace at this address.
pub(super) fn id_of(address: &Address) -> String {
    let hash = Sha256::digest(address.origin());
    let hex = hash.iter().take(ID_BYTES).map(|byte| format!("{byte:02x}"));
    ADDED_PREFIX.to_owned() + &hex.collect::<String>()
}

fn unreadable(error: &io::Error) -> AuthError {
    let words = match error.kind() {
        ErrorKind::Unsupported => {
            "A newer version of this app keeps the list of workspaces on this computer, and this \
             version must not change it. Update the app, then try again."
        }
        _ => {
            "The list of workspaces cannot be read, so it is not changed. Check that your user may \
             read the folder of this app, then try again."
        }
    };
    AuthError::with_message(ErrorCode::Unsupported, words)
}

fn unwritten(error: &io::Error) -> AuthError {
    tracing::error!(
        kind = %error.kind(),
        "the list of added workspaces cannot be written: it stays as it was"
    );
    let words = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "The disk is full, so the list of workspaces was not changed. Make room, then try again."
        }
        _ => {
            "The list of workspaces could not be written, so it was not changed. Check that there is \
             room on the disk and that your user may write to the folder of this app, then try again."
        }
    };
    AuthError::with_message(ErrorCode::Unsupported, words)
}
